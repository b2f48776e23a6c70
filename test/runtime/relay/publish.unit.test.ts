import { EventBridgeClient, PutEventsCommand, type PutEventsCommandInput } from "@aws-sdk/client-eventbridge";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { publish } from "../../../runtime/relay/publish";
import { capturedLog, problems } from "../../support/process/captured-log";

const bus = mockClient(EventBridgeClient);
const client = new EventBridgeClient({ region: "us-east-1" });
const log = capturedLog();
const plenty = { remainingMilliseconds: () => 60_000 };

beforeEach(() => {
  bus.reset();
  // No pause between tries.
  vi.spyOn(Math, "random").mockReturnValue(0);
});

/** A publication named by its aggregate and version, e.g. "a1". */
const publication = (name: string) => ({
  orderingKey: name.charAt(0),
  name,
  entry: { Source: "bank", DetailType: "AccountOpened", Detail: name },
});
const publications = (...names: string[]) => names.map(publication);
const names = ({ waiting }: { waiting: { name: string }[] }) => waiting.map(({ name }) => name);
const sent = () =>
  bus.commandCalls(PutEventsCommand).map(({ args }) => args[0].input.Entries?.map(({ Detail }) => Detail));

/** Answers each entry by its name: published unless there is something else to say. */
function answering(says: (name: string, call: number) => object) {
  let calls = 0;
  bus.on(PutEventsCommand).callsFake(({ Entries }: PutEventsCommandInput) => {
    calls += 1;
    const call = calls;
    return {
      Entries: Entries?.map(({ Detail = "" }) => ({ EventId: `e-${Detail}`, ...says(Detail, call) })),
    };
  });
}
const refused = { EventId: undefined, ErrorCode: "ThrottlingException", ErrorMessage: "Slow down" };

describe("publishing", () => {
  test("puts all events on the bus and gives nothing back", async () => {
    answering(() => ({}));
    expect(names(await publish(client, publications("a1", "b1", "a2", "a3"), plenty))).toEqual([]);
    expect(sent()).toEqual([["a1", "b1"], ["a2"], ["a3"]]);
  });

  test("makes no call when there is nothing to publish", async () => {
    expect(names(await publish(client, [], plenty))).toEqual([]);
    expect(sent()).toEqual([]);
  });

  test("tries only the failed entries again, and keeps later events of their aggregates behind them", async () => {
    answering((name, call) => (name === "a1" && call < 3 ? refused : {}));
    expect(names(await publish(client, publications("a1", "b1", "a2", "c1", "b2"), plenty))).toEqual([]);
    expect(sent()).toEqual([["a1", "b1", "c1"], ["b2"], ["a1"], ["a2"]]);
  });

  test("gives back what still fails after five rounds with all that waits behind it, in order", async () => {
    answering((name) => (name === "a1" ? refused : {}));
    const left = await publish(client, publications("a1", "b1", "a2", "c1", "a3"), plenty);
    expect(names(left)).toEqual(["a1", "a2", "a3"]);
    expect(sent()).toHaveLength(5);
  });

  test("gives everything back, in order, when the whole call fails again and again", async () => {
    bus.on(PutEventsCommand).rejects(Object.assign(new Error("No route"), { name: "TimeoutError" }));
    const left = await publish(client, publications("a1", "b1", "a2"), { ...plenty, maxFailedRounds: 2 });
    expect(names(left)).toEqual(["a1", "b1", "a2"]);
    expect(sent()).toEqual([
      ["a1", "b1"],
      ["a1", "b1"],
    ]);
    expect(log).toContainEqual({
      level: "error",
      message: "PutEvents failed",
      of: 2,
      code: "TimeoutError",
      reason: "No route",
    });
  });

  test("goes on after a call that failed once", async () => {
    bus
      .on(PutEventsCommand)
      .rejectsOnce(new Error("Reset by peer"))
      .resolves({ Entries: [{ EventId: "e-1" }] });
    expect(names(await publish(client, publications("a1"), plenty))).toEqual([]);
  });

  test.each([
    ["an entry without an id", [{ EventId: "e-1" }, {}]],
    [
      "an entry with an id and an error",
      [{ EventId: "e-1" }, { EventId: "e-2", ErrorCode: "InternalFailure" }],
    ],
    ["fewer entries than were sent", [{ EventId: "e-1" }]],
  ])("takes an answer with %s for a failure of that event", async (_, Entries) => {
    bus.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries });
    const left = await publish(client, publications("a1", "b1"), { ...plenty, maxFailedRounds: 1 });
    expect(names(left)).toEqual(["b1"]);
  });

  test("takes an answer without entries for a failure of all events", async () => {
    bus.on(PutEventsCommand).resolves({});
    const left = await publish(client, publications("a1", "b1"), { ...plenty, maxFailedRounds: 1 });
    expect(names(left)).toEqual(["a1", "b1"]);
  });

  test("gives failed events back at once when there is no time left for another try", async () => {
    answering((name) => (name === "a1" ? refused : {}));
    const left = await publish(client, publications("a1", "b1", "b2"), { remainingMilliseconds: () => -1 });
    expect(names(left)).toEqual(["a1", "b2"]);
    expect(sent()).toHaveLength(1);
  });

  test("gives back what is not yet sent when the time is up, so that a slow bus still gets on batch by batch", async () => {
    answering(() => ({}));
    // Each call asks once before it, for its own limit, and once after it.
    const times = [1_000, 1_000, 1_000, 0];
    const left = await publish(client, publications("a1", "a2", "a3", "a4"), {
      remainingMilliseconds: () => times.shift() ?? 0,
    });
    expect(names(left)).toEqual(["a3", "a4"]);
    expect(sent()).toEqual([["a1"], ["a2"]]);
  });

  test("logs how many entries failed and why, but nothing of what they say", async () => {
    answering((name, call) => (call === 1 && name === "a1" ? refused : {}));
    await publish(client, publications("a1", "b1"), plenty);
    expect(problems(log)).toEqual([
      {
        level: "warn",
        message: "PutEvents failed for some entries",
        failed: 1,
        of: 2,
        codes: ["ThrottlingException"],
      },
    ]);
  });
});
