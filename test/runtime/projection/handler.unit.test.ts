import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { aggregate, project } from "../../../runtime";
import type { AnyProjection } from "../../../runtime/define/project";
import { makeProjectionHandler } from "../../../runtime/projection/handler";
import { writeProjection } from "../../../runtime/projection/table";
import { Account } from "../../support/domain/account";
import { capturedLog, problems } from "../../support/process/captured-log";
import { cloudEvent, queueBatch } from "../../support/domain/domain-events";
import { lambdaContext } from "../../support/domain/outbox-records";

const documents = mockClient(DynamoDBDocumentClient);
const log = capturedLog();

beforeEach(() => {
  documents.reset();
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("PROJECTION_TABLES", '{"accounts":"accounts-1a2b3c4"}');
});

const accounts = project(Account, (state) => ({ owner: state.owner }));
/** Hands these to the function of the projection, in one batch. */
const handledBy = (projection: AnyProjection, ...bodies: Parameters<typeof queueBatch>[0]) =>
  makeProjectionHandler("accounts", projection).callbackFactory()(queueBatch(bodies), lambdaContext());
const handle = (...bodies: Parameters<typeof queueBatch>[0]) => handledBy(accounts, ...bodies);
const written = () => documents.commandCalls(PutCommand).map(({ args }) => args[0].input.Item);
const stale = () => Object.assign(new Error("No."), { name: "ConditionalCheckFailedException" });

describe("a projection's handler", () => {
  test("writes the fields that are selected, with the version and where they come from", async () => {
    const event = cloudEvent({
      aggregateId: "a",
      aggregateVersion: 4,
      data: { change: {}, state: { owner: "Ada", balance: 5 } },
    });
    expect(await handle(event)).toEqual({ batchItemFailures: [] });
    expect(documents.commandCalls(PutCommand)[0]!.args[0].input).toMatchObject({
      TableName: "accounts-1a2b3c4",
      Item: {
        aggregateId: "a",
        version: 4,
        occurredAt: "2026-05-04T03:02:01.234Z",
        eventId: event.id,
        fields: { owner: "Ada" },
      },
    });
  });

  test("leaves a tombstone with the version where the aggregate is gone", async () => {
    const event = cloudEvent({ aggregateId: "a", aggregateVersion: 5, data: { change: {}, state: null } });
    await handle(event);
    expect(written()).toEqual([
      { aggregateId: "a", version: 5, occurredAt: "2026-05-04T03:02:01.234Z", eventId: event.id },
    ]);
  });

  test("makes one write of all events of an aggregate in a batch", async () => {
    const versions = [1, 3, 2].map((aggregateVersion) => cloudEvent({ aggregateId: "a", aggregateVersion }));
    await handle(...versions);
    expect(written()).toMatchObject([{ aggregateId: "a", version: 3 }]);
  });

  test("is done with an event that is older than what it has", async () => {
    documents.on(PutCommand).rejects(stale());
    expect(await handle(cloudEvent())).toEqual({ batchItemFailures: [] });
    expect(problems(log)).toEqual([]);
  });

  test("gives back every message that a failed write would have settled, and no other", async () => {
    documents.on(PutCommand).callsFake(({ Item }: { Item: { aggregateId: string } }) => {
      if (Item.aggregateId === "bad") throw new Error("No such table");
      return {};
    });
    const answer = await handle(
      cloudEvent({ aggregateId: "bad", aggregateVersion: 1 }),
      cloudEvent({ aggregateId: "good" }),
      cloudEvent({ aggregateId: "bad", aggregateVersion: 2 }),
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }, { itemIdentifier: "m3" }] });
    expect(written()).toHaveLength(2);
  });

  test("gives a message back that is not a domain event, and writes the others", async () => {
    const answer = await handle("no json", cloudEvent(), '{"detail":{}}');
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }, { itemIdentifier: "m3" }] });
    expect(written()).toHaveLength(1);
    expect(problems(log)).toMatchObject([
      { messageId: "m1", code: "EVENT_MALFORMED" },
      { messageId: "m3", code: "EVENT_MALFORMED" },
    ]);
  });

  test("gives an event back that its own selection cannot read", async () => {
    const choosy = project(Account, (state) => ({ initial: state.owner.charAt(0) }));
    const nameless = cloudEvent({ data: { change: {}, state: {} } });
    const answer = await handledBy(choosy, nameless, cloudEvent());
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }] });
  });

  test("gives back only the event that cannot be projected, and not older ones of its aggregate", async () => {
    const choosy = project(Account, (state) => ({ initial: state.owner.charAt(0) }));
    const poison = cloudEvent({ aggregateId: "a", aggregateVersion: 9, data: { change: {}, state: {} } });
    const answer = await handledBy(choosy, cloudEvent({ aggregateId: "a", aggregateVersion: 2 }), poison);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m2" }] });
    expect(written()).toMatchObject([{ aggregateId: "a", version: 2 }]);
  });

  test.each([
    ["is larger than an item may be", () => ({ all: "x".repeat(400 * 1024) }), "ITEM_TOO_LARGE"],
    ["cannot be kept in DynamoDB", () => ({ since: new Date() }), "INVALID_ITEM"],
  ])("gives an event back by a code whose projection %s, and writes the others", async (_, select, code) => {
    const selecting = project(Account, (state) => (state.owner === "bad" ? select() : {}));
    const bad = cloudEvent({ data: { change: {}, state: { owner: "bad" } } });
    expect(await handledBy(selecting, bad, cloudEvent())).toEqual({
      batchItemFailures: [{ itemIdentifier: "m1" }],
    });
    expect(written()).toHaveLength(1);
    expect(problems(log)).toMatchObject([{ messageId: "m1", code }]);
  });

  test("gives an event of another aggregate back, and writes the others", async () => {
    const answer = await handle(cloudEvent({ aggregate: "bank.Card" }), cloudEvent());
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }] });
    expect(problems(log)).toMatchObject([
      {
        code: "EVENT_MISROUTED",
        reason:
          'The message is an event of another aggregate, but this queue subscribes to "bank.Account". Check the rule of this queue.',
      },
    ]);
  });

  test("selects from older events what their upcast makes of them", async () => {
    const Person = aggregate("bank.Person", {
      key: "personId",
      state: () => z.object({ personId: z.string(), name: z.string() }),
      events: {
        Named: {
          version: 2,
          change: () => z.object({}),
          upcast: ({ change, state }) => ({ change, state: { name: (state as { title: string }).title } }),
        },
      },
    });
    const people = project(Person, ({ name }) => ({ name }));
    const old = { aggregate: "bank.Person", type: "Named", schemaVersion: 1 };
    await handledBy(people, cloudEvent({ ...old, data: { change: {}, state: { title: "Ada" } } }));
    expect(written()).toMatchObject([{ fields: { name: "Ada" } }]);
  });

  test("copies what its indexes are on beside the fields, as far as it can be an index's key", async () => {
    const indexed = project(Account, ({ owner, grade }) => ({ owner, grade, nick: owner }), {
      indexes: ["owner", "grade"],
    });
    const of = (aggregateId: string, state: object) =>
      cloudEvent({ aggregateId, data: { change: {}, state } });
    await handledBy(
      indexed,
      of("a", { owner: "Ada", grade: "gold" }),
      of("b", { owner: "", grade: null }),
      of("c", { owner: "é".repeat(1_025), grade: "é".repeat(1_024) }),
      of("d", { grade: 5 }),
      cloudEvent({ aggregateId: "e", data: { change: {}, state: null } }),
    );
    const copies = written().map(({ by_owner, by_grade, by_nick } = {}) => ({ by_owner, by_grade, by_nick }));
    expect(copies).toEqual([
      { by_owner: "Ada", by_grade: "gold" },
      {},
      { by_grade: "é".repeat(1_024) },
      {},
      {},
    ]);
    expect(written()[2]).toMatchObject({ fields: { owner: "é".repeat(1_025) } });
  });

  test("counts those copies into the size that an item may have", async () => {
    const indexed = project(Account, ({ owner, grade }) => ({ owner, grade }), { indexes: ["owner"] });
    const sized = (owner: string) =>
      cloudEvent({ data: { change: {}, state: { owner, grade: "x".repeat(406_000) } } });
    expect(await handledBy(indexed, sized("x".repeat(1_000)))).toEqual({ batchItemFailures: [] });
    expect(await handledBy(indexed, sized("x".repeat(2_000)))).toEqual({
      batchItemFailures: [{ itemIdentifier: "m1" }],
    });
    expect(problems(log)).toMatchObject([{ code: "ITEM_TOO_LARGE" }]);
  });

  test("logs no content of a message that it gives back", async () => {
    documents.on(PutCommand).rejects(new Error("No such table"));
    await handle(cloudEvent({ data: { change: {}, state: { owner: "Secret Person" } } }), "Secret text");
    expect(problems(log)).toHaveLength(2);
    expect(JSON.stringify(log)).not.toContain("Secret");
  });

  test("does not start without its environment", () => {
    vi.stubEnv("PROJECTION_TABLES", undefined);
    expect(() => makeProjectionHandler("accounts", accounts).callbackFactory()).toThrow(
      expect.objectContaining({ code: "VARIABLE_MISSING" }),
    );
  });
});

describe("writing a projection", () => {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: "us-east-1" }));
  const item = { aggregateId: "a", version: 2, occurredAt: "2026-05-04T03:02:01.234Z", eventId: "e" };

  test("tells a stale write from one that failed", async () => {
    documents.on(PutCommand).resolvesOnce({}).rejectsOnce(stale()).rejects(new Error("No."));
    expect(await writeProjection(client, "accounts", item)).toBe("written");
    expect(await writeProjection(client, "accounts", item)).toBe("stale");
    await expect(writeProjection(client, "accounts", item)).rejects.toThrow("No.");
  });

  test("gives back a message whose write is not answered, and writes the others", async () => {
    documents
      .on(PutCommand)
      .callsFake(({ Item }: { Item: { aggregateId: string } }) =>
        Item.aggregateId === "slow" ? new Promise(() => undefined) : {},
      );
    const end = Date.now() + 3_600;
    const context = { ...lambdaContext(), getRemainingTimeInMillis: () => end - Date.now() };
    const batch = queueBatch(["slow", "b", "c"].map((aggregateId) => cloudEvent({ aggregateId })));
    const handler = makeProjectionHandler("accounts", accounts).callbackFactory();
    expect(await handler(batch, context)).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }] });
    expect(Date.now()).toBeLessThan(end);
    expect(written()).toHaveLength(3);
  });

  test("writes nothing when there is no time left to answer in", async () => {
    const handler = makeProjectionHandler("accounts", accounts).callbackFactory();
    const answer = await handler(queueBatch([cloudEvent(), cloudEvent()]), lambdaContext(3_000));
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }, { itemIdentifier: "m2" }] });
    expect(written()).toEqual([]);
  });
});
