import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeDmsRecord } from "../../../dist/runtime/relay/kinesis-relay.js";
import { agedEvents } from "../../support/postgres/aged-rows.js";
import { captureFixture, untilCaughtUp } from "./capture-fixture.js";
import { changes, databaseUnderCapture } from "./captured-database.js";

let fixture: Awaited<ReturnType<typeof captureFixture>>;
beforeAll(async () => {
  fixture = await captureFixture();
});
afterAll(() => fixture.close());

const operations = (records: { json: { metadata: Record<string, unknown> } }[]) =>
  records.map(({ json }) => json.metadata["operation"]).sort();

test("An event that is removed from the outbox before capture has read it still arrives: the log keeps it", async () => {
  const { captured, superuser } = await databaseUnderCapture();
  await agedEvents(superuser, 3, 40);
  await superuser.query("delete from outbox");
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream);
  await untilCaughtUp(capture);
  const events = (await stream.dataRecords()).filter(({ text }) =>
    ["event"].includes(decodeDmsRecord(Buffer.from(text)).kind),
  );
  expect(events).toHaveLength(3);
});

test("What retention removes is captured under its aggregate's key, ignored by the relay, and stops nothing", async () => {
  const { captured, client, superuser } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream);
  await agedEvents(superuser, 2, 40);
  await superuser.query("delete from outbox");
  const [later] = await changes(client, 1, 1);
  await untilCaughtUp(capture);
  const records = await stream.dataRecords();
  expect(operations(records)).toEqual(["delete", "delete", "insert", "insert", "insert"]);
  const keysOf = (operation: string) =>
    records
      .filter(({ json }) => json.metadata["operation"] === operation)
      .map(({ partitionKey }) => partitionKey)
      .sort();
  expect(keysOf("delete")).toEqual(keysOf("insert").filter((key) => key !== later));
  const removals = records.filter(({ json }) => json.metadata["operation"] === "delete");
  // What retention reckons with beside the payload (runtime/retention/old-rows.ts).
  for (const { text, json } of removals)
    expect(text.length - String(json.data?.["payload"]).length).toBeLessThanOrEqual(1_024);
  for (const { text } of removals) expect(decodeDmsRecord(Buffer.from(text))).toEqual({ kind: "ignored" });
});
