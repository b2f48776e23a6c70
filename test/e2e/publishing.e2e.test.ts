import { join } from "node:path";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { STSClient } from "@aws-sdk/client-sts";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { roleCredentials } from "../../dist/local/event-sources/emulator-connection.js";
import { type LocalSystem, startSystem } from "../../dist/local/system/system.js";
import { FIXTURE_DOMAINS } from "../../dist/test/fixtures/source.js";

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

/**
 * Calls PutEvents as a function does: with its role, and with the endpoint and the name that its environment has.
 *
 * @param past calls the emulator itself
 */
async function publishAs(logicalName: string, sources: string[], { past = false, role = logicalName } = {}) {
  const { endpoint, region, credentials } = system.servers.emulator;
  const named = (name: string) => system.deployment.resource("aws:lambda/function:Function", name).state;
  const variables = system.gate.variables(String(named(logicalName)["name"]));
  const sts = new STSClient({ endpoint, region, credentials });
  const client = new EventBridgeClient({
    endpoint: past ? endpoint : String(variables["AWS_ENDPOINT_URL_EVENTBRIDGE"]),
    region,
    credentials: roleCredentials(sts, String(named(role)["role"]), "test"),
    userAgentAppId: String(variables["AWS_SDK_UA_APP_ID"]),
    requestHandler: new LambdaClient({ endpoint, region }).config.requestHandler,
    maxAttempts: 1,
  });
  const EventBusName = String(system.deployment.outputs["busArn"]).split("/").at(-1);
  const Entries = sources.map((Source) => ({ EventBusName, Source, DetailType: "BookLent", Detail: "{}" }));
  try {
    const { FailedEntryCount } = await client.send(new PutEventsCommand({ Entries }));
    return FailedEntryCount === 0 ? "published" : "failed";
  } catch (error) {
    return (error as Error).name;
  } finally {
    client.destroy();
    sts.destroy();
  }
}

test("The relays' own calls pass the gate", async () => {
  const before = system.gate.calls();
  const joined = { memberId: uuid(), name: "Ada", email: "ada@example.com", city: "Turin" };
  await system.send("members", { command: "joinLibrary", input: joined, id: uuid() });
  await system.flow.settled();
  const lent = { loanId: uuid(), memberId: joined.memberId, title: "Emma" };
  await system.send("loans", { command: "lendBook", input: lent, id: uuid() });
  await system.flow.settled();
  const { passed, refused } = system.gate.calls();
  expect(passed - before.passed).toBeGreaterThanOrEqual(2);
  expect(refused).toBe(before.refused);
});

test.each([
  ["loans-relay", ["loans"], "published"],
  ["loans-relay", ["loans", "loans"], "published"],
  ["monolith-relay", ["members"], "published"],
  ["loans-relay", ["members"], "AccessDeniedException"],
  ["loans-relay", ["loans", "members"], "AccessDeniedException"],
  ["monolith-relay", ["loans"], "AccessDeniedException"],
  ["monolith-relay", ["member"], "AccessDeniedException"],
  ["monolith-relay", ["aws.s3"], "AccessDeniedException"],
  ["loans-commands", ["loans"], "AccessDeniedException"],
  ["loans-on-members", ["loans"], "AccessDeniedException"],
])("%s that publishes as %j: %s", async (relay, sources, outcome) => {
  expect(await publishAs(relay, sources)).toBe(outcome);
});

test("A function that takes a relay's name is still judged by its own role, by the emulator", async () => {
  expect(await publishAs("loans-relay", ["loans"], { role: "loans-commands" })).toBe("AccessDeniedException");
});

test("The emulator alone lets a relay publish as another domain: once it no longer does, the gate can go", async () => {
  expect(await publishAs("loans-relay", ["members"], { past: true })).toBe("published");
});
