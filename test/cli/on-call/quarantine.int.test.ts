import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  discardRecord,
  listQuarantine,
  putBackAll,
  putBackRecord,
  showQuarantined,
} from "../../../dist/cli/on-call/quarantine.js";
import { BANK_TABLES } from "../../support/dynamodb/bank-tables";
import { capturedLog } from "../../support/process/captured-log";
import { dmsRecord, type outboxImage } from "../../support/domain/outbox-records";
import { runningRelays } from "./running-relays";

capturedLog();
let relays: Awaited<ReturnType<typeof runningRelays>>;
beforeAll(async () => {
  relays = await runningRelays();
});
afterAll(() => relays.close());

const event = (id: string) => dmsRecord({ id });
/** The one record in quarantine. */
async function only() {
  const listed = await listQuarantine(relays.system);
  expect(listed).toHaveLength(1);
  return listed[0]!;
}

describe("a record of Kinesis that cannot be decoded", () => {
  test("is quarantined with its content, blocks nothing, and is on the bus once its corrected content is put back", async () => {
    const { stream, source, put } = await relays.kinesisRelay();
    const [before, poison, after] = [uuid(), uuid(), uuid()];
    await put(event(before), "not JSON {", event(after));
    await source.waitUntilDrained();
    await relays.untilPublished(after);
    expect(relays.published().slice(-2)).toEqual([before, after]);

    const record = await only();
    expect(record).toEqual({
      id: expect.stringMatching(/^monolith\/\d+$/) as string,
      stream: stream.arn,
      sequenceNumber: record.id.split("/")[1],
      reason: "The record is not JSON in UTF-8.",
      quarantinedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      bytes: 10,
    });
    expect(String(await showQuarantined(relays.system, record.id))).toBe("not JSON {");

    const corrected = Buffer.from(JSON.stringify(dmsRecord({ id: poison, aggregate_id: "account-2" })));
    expect(await putBackRecord(relays.system, record.id, corrected)).toEqual([
      { id: record.id, outcome: "put back" },
    ]);
    await relays.untilPublished(poison);
    expect(await listQuarantine(relays.system)).toEqual([]);
    const last = source.recordsOf("received").at(-1);
    expect(last).toMatchObject({ kinesis: { partitionKey: "account-2" } });
  });

  test("is quarantined again, byte for byte, when it is put back unchanged and still cannot be decoded", async () => {
    const { source, put } = await relays.kinesisRelay();
    // More than a message of the queue takes.
    const content = "no JSON, but large: ".repeat(20_000);
    await put(content);
    await source.waitUntilDrained();
    const first = await only();
    expect(first).toMatchObject({ bytes: 400_000 });
    expect(await putBackAll(relays.system)).toEqual([{ id: first.id, outcome: "put back" }]);
    await source.waitUntilDrained();
    const second = await only();
    expect(second.id).not.toBe(first.id);
    expect(String(await showQuarantined(relays.system, second.id))).toBe(content);
    expect(source.recordsOf("received").at(-1)).toMatchObject({ kinesis: { partitionKey: "account-1" } });
    await putBackRecord(relays.system, second.id, Buffer.from(JSON.stringify(event(uuid()))));
  });

  test("stays in quarantine when it cannot be put back: its stream is gone, or the corrected content is unsuitable", async () => {
    const { source, put } = await relays.kinesisRelay();
    await put("no JSON");
    await source.waitUntilDrained();
    const { id } = await only();
    const corrected = (content: unknown) =>
      putBackRecord(relays.system, id, Buffer.from(JSON.stringify(content)));
    await expect(corrected({ data: {} })).rejects.toMatchObject({ code: "PAYLOAD_UNDECODABLE" });
    await expect(corrected(dmsRecord({}, { operation: "delete" }))).rejects.toMatchObject({
      code: "PAYLOAD_UNDECODABLE",
      message: expect.stringContaining("is not an insert into the outbox") as string,
    });
    await expect(putBackRecord(relays.system, `${id}0`)).rejects.toMatchObject({ code: "NOT_QUARANTINED" });
    await expect(putBackRecord(relays.system, "nobody/1")).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
    for (const unlike of ["", "monolith", "monolith/", "/1"]) {
      await expect(showQuarantined(relays.system, unlike)).rejects.toMatchObject({
        code: "NOT_QUARANTINED",
        message: expect.stringContaining(`"${unlike}" is not the ID of a quarantined record`) as string,
      });
    }

    const lost = { stream: "arn:aws:kinesis:us-east-1:000000000000:stream/gone", sequenceNumber: "7" };
    const message = { ...lost, partitionKey: "k", reason: "r", part: 1, parts: 1, payload: "eA==" };
    const { clients } = relays.system;
    const QueueUrl = relays.quarantineQueues.monolith.url;
    await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
    await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
    expect((await putBackAll(relays.system)).sort((a, b) => a.outcome.localeCompare(b.outcome))).toEqual([
      {
        id: "monolith/7",
        outcome: "kept",
        code: "ResourceNotFoundException",
        reason: expect.any(String) as string,
      },
      { id, outcome: "put back" },
    ]);
    await source.waitUntilDrained();
    expect((await listQuarantine(relays.system)).map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(["r", "The record is not JSON in UTF-8.", "This message is not from a relay."]),
    );
  });
});

describe("an outbox item of DynamoDB that cannot be decoded", () => {
  const key = { aggregateKey: { S: "bank.Account#account-1" }, aggregateVersion: { N: "2" } };
  const item = (id: string, version: string, payload?: string) => ({
    id: { S: id },
    aggregateVersion: { N: version },
    ...(payload === undefined ? {} : { payload: { S: payload } }),
  });
  const ofBank = async () => (await listQuarantine(relays.system)).filter(({ id }) => id.startsWith("bank/"));

  test("is quarantined with its content and holds only its own aggregate, which goes on in order once corrected content is put back", async () => {
    const { source, put } = await relays.outboxRelay();
    const [before, poison, other, after, later] = [uuid(), uuid(), uuid(), uuid(), uuid()];
    await put(item(before, "1"));
    await put(item(poison, "2", "{ broken"));
    await put({
      ...item(other, "1"),
      aggregateId: { S: "account-2" },
      aggregateKey: { S: "bank.Account#account-2" },
    });
    await source.waitUntilDrained();
    await relays.untilPublished(other);
    expect(relays.published()).not.toContain(poison);

    const [first] = await ofBank();
    expect(await putBackRecord(relays.system, first!.id)).toEqual([{ id: first!.id, outcome: "put back" }]);
    await source.waitUntilDrained();
    // Put back unchanged, it is quarantined again.
    const [record, ...others] = await ofBank();
    expect(others).toEqual([]);
    expect(record!.id).not.toBe(first!.id);
    expect(record).toMatchObject({ reason: "The payload is not JSON with change and state." });
    const content = JSON.parse(String(await showQuarantined(relays.system, record!.id))) as {
      NewImage: ReturnType<typeof outboxImage>;
    };
    const putBack = (overrides: Parameters<typeof outboxImage>[0]) => {
      const NewImage = { ...content.NewImage, ...overrides };
      const corrected = Buffer.from(JSON.stringify({ ...content, NewImage }));
      return putBackRecord(relays.system, record!.id, corrected);
    };
    const payload = { S: '{"change":{"amount":5},"state":null}' };
    await expect(putBack({ payload: { S: "{ broken still" } })).rejects.toMatchObject({
      code: "PAYLOAD_UNDECODABLE",
    });
    await expect(putBack({ payload, aggregateVersion: { N: "9" } })).rejects.toMatchObject({
      code: "PAYLOAD_OF_ANOTHER",
    });
    expect(await ofBank()).toHaveLength(1);
    // A later event, in a later invocation, does not overtake it.
    await put(item(after, "3"));
    await source.waitUntilDrained();
    expect((await ofBank()).map(({ version }) => version)).toEqual([2, 3]);

    await putBack({ payload });
    await relays.untilPublished(poison);
    expect(await putBackAll(relays.system)).toContainEqual({
      id: expect.stringMatching(/^bank\//) as string,
      outcome: "put back",
    });
    await put(item(later, "4"));
    await relays.untilPublished(later);
    const own = relays.published().filter((id) => [before, poison, after, later].includes(id));
    expect([...new Set(own)]).toEqual([before, poison, after, later]);
    expect(await ofBank()).toEqual([]);
    const { dynamodb } = relays.system.clients;
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: BANK_TABLES.outbox, Key: key }));
    expect(Item).toMatchObject({ id: { S: poison }, payload });
  });

  test("is given up by discarding it: what waits behind it comes back, and the aggregate is held no longer", async () => {
    const { source, put } = await relays.outboxRelay();
    const [poison, after, later] = [uuid(), uuid(), uuid()];
    // The stream is read from its start again, with what the test before has put on it.
    const ofAccount = async () =>
      (await ofBank()).filter(({ aggregateKey }) => aggregateKey === "bank.Account/account-9");
    const of = (id: string, version: string, payload?: string) => ({
      ...item(id, version, payload),
      aggregateId: { S: "account-9" },
      aggregateKey: { S: "bank.Account#account-9" },
    });
    await put(of(poison, "1", "{ broken"));
    await put(of(after, "3"));
    await source.waitUntilDrained();
    const [broken, waiting] = await ofAccount();
    expect([broken?.version, waiting?.version]).toEqual([1, 3]);
    await discardRecord(relays.system, broken!.id);
    expect((await ofAccount()).map(({ id }) => id)).toEqual([waiting!.id]);
    // There is no version 2: the first that is in quarantine is next.
    await putBackRecord(relays.system, waiting!.id);
    await relays.untilPublished(after);
    await put(of(later, "4"));
    await relays.untilPublished(later);
    expect(await ofAccount()).toEqual([]);
    await expect(discardRecord(relays.system, broken!.id)).rejects.toMatchObject({ code: "NOT_QUARANTINED" });
  });
});
