import { join } from "node:path";
import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listUnclaimed } from "../../dist/cli/on-call/unclaimed.js";
import { type LocalSystem, startSystem } from "../../dist/local/system/system.js";
import { FIXTURE_DOMAINS } from "../../dist/test/fixtures/source.js";
import { cloudEvent } from "../support/domain/domain-events";

const PROJECT_ROOT = join(__dirname, "..", "..");

let system: LocalSystem;
beforeAll(async () => {
  system = await startSystem({
    projectRoot: PROJECT_ROOT,
    report: () => undefined,
    phases: [],
    source: FIXTURE_DOMAINS,
  });
});
afterAll(() => system?.servers.stops.stopAll());

/** Publishes an event as root, past the relays. */
async function publish(source: string, type: string): Promise<string> {
  const id = uuid();
  const detail = cloudEvent({ id, aggregate: `${source}.Thing`, type });
  const EventBusName = String(system.deployment.outputs["busArn"]);
  const entry = { EventBusName, Source: source, DetailType: type, Detail: JSON.stringify(detail) };
  const { FailedEntryCount } = await system.clients.events.send(new PutEventsCommand({ Entries: [entry] }));
  expect(FailedEntryCount).toBe(0);
  return id;
}

test("What the domains raise themselves is claimed, also types to which nobody subscribes", async () => {
  const memberId = uuid();
  const joined = { memberId, name: "Ada", email: "ada@example.com", city: "Turin" };
  await system.send("members", { command: "joinLibrary", input: joined, id: uuid() });
  await system.flow.settled();
  const loanId = uuid();
  const lent = { loanId, memberId, title: "Emma" };
  expect(await system.send("loans", { command: "lendBook", input: lent, id: uuid() })).toMatchObject({
    outcome: "done",
  });
  const returned = { command: "returnBook", input: { loanId }, id: uuid() };
  expect(await system.send("loans", returned)).toMatchObject({ outcome: "done" });
  await system.flow.settled();
  const unclaimedQueue = String(system.deployment.outputs["unclaimedQueue"]);
  expect(await listUnclaimed({ clients: system.clients, unclaimedQueue })).toEqual([]);
});

test("An event of another source, and one of a type that no contract of its domain has, wait in the queue for unclaimed events", async () => {
  const unclaimed = [
    ["press", "PaperSold"],
    ["loans", "BookBurnt"],
    ["loans", "MemberJoined"],
    ["Loans", "BookLent"],
    ["members", "memberJoined"],
  ] as const;
  const ids = [];
  for (const [source, type] of unclaimed) ids.push(await publish(source, type));
  const unclaimedQueue = String(system.deployment.outputs["unclaimedQueue"]);
  const listed = await listUnclaimed({ clients: system.clients, unclaimedQueue });
  expect(listed.map(({ source, detailType }) => [source, detailType])).toEqual(
    expect.arrayContaining(unclaimed.map((one) => [...one])),
  );
  expect(listed).toHaveLength(unclaimed.length);
  expect(listed.map(({ event }) => event?.id).sort()).toEqual([...ids].sort());
});
