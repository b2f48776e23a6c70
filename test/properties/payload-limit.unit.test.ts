import { withSchemasMadeOnce } from "../../runtime/store/handles";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, table } from "../../runtime";
import { type OutboxRecord, toCloudEvent } from "../../runtime/envelope/cloud-event";
import { dynamoWrite } from "../../runtime/dynamodb/writes";
import { MAX_PAYLOAD_BYTES } from "../../runtime/store/validation";
import { entryBytes, MAX_REQUEST_BYTES, publicationOf } from "../../runtime/relay/publish";
import { bridgeEvent } from "../support/domain/domain-events";
import { dmsRecord } from "../support/domain/outbox-records";

const Note = aggregate(`${"d".repeat(40)}.${"N".repeat(40)}`, {
  key: "noteId",
  state: () => z.object({ noteId: z.string(), text: z.string() }),
  events: { [`E${"x".repeat(127)}`]: () => z.object({}) },
});
const event = Object.keys(Note.events)[0]!;
const definition = table(Note);
const TABLES = {
  entities: { notes: "notes" },
  outbox: "outbox",
  inbox: "inbox",
  outboxRetentionDays: 1,
  inboxRetentionDays: 1,
};

/** Characters of one to four bytes, and those that JSON escapes. */
const unit = fc.constantFrom("x", "é", "€", "😀", '"', "\\", "\n", "\u0001", "\u007f", "\u2028");
/** The ids of an envelope, as long as they may be. */
const ids = unit.map((character) => character.repeat(256));

function write(noteId: string, text: string) {
  const staged = {
    kind: "change",
    operation: "create",
    table: "notes",
    definition: withSchemasMadeOnce(definition),
    event,
    change: {},
    fields: { noteId, text },
  } as const;
  const context = { correlationId: noteId, causationId: noteId, traceparent: noteId };
  return dynamoWrite(staged, TABLES, context, new Date());
}

/** A text of this character that makes the payload this many bytes, or some less. */
function filling(noteId: string, character: string, bytes: number): string {
  const size = (text: string) => Buffer.from(JSON.stringify({ change: {}, state: { noteId, text } })).length;
  const one = size(character) - size("");
  const text = character.repeat(Math.floor((bytes - size("")) / one));
  return text + "x".repeat(bytes - size(text));
}

describe("the limit of a payload", () => {
  test("is one of bytes as they are sent, whatever the characters: one more is refused, and the error names both", () => {
    const property = fc.property(ids, unit, fc.integer({ min: -3, max: 3 }), (noteId, character, more) => {
      const bytes = MAX_PAYLOAD_BYTES + more;
      const writing = () => write(noteId, filling(noteId, character, bytes));
      if (more <= 0) return void writing();
      expect(writing).toThrow(
        expect.objectContaining({
          code: "EVENT_TOO_LARGE",
          message: expect.stringContaining(`has a payload of ${bytes} bytes; the limit is 245760.`) as string,
        }),
      );
    });
    fc.assert(property, { numRuns: 40 });
  });

  test("leaves room for the largest envelope in what the bus, a queue and a stream take", () => {
    const property = fc.property(ids, unit, (noteId, character) => {
      const { actions } = write(noteId, filling(noteId, character, MAX_PAYLOAD_BYTES));
      const item = actions[1].Put?.Item as Record<string, unknown>;
      // As the relay of the table makes it of the item.
      const record = {
        ...item,
        data: JSON.parse(String(item["payload"])) as object,
      } as unknown as OutboxRecord;
      const { entry } = publicationOf(record, "domain-events");
      expect(entryBytes(entry)).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
      const message = JSON.stringify({ ...bridgeEvent(toCloudEvent(record)), ...ENVELOPE_OF_THE_BUS });
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(MESSAGE_BYTES);
      const captured = dmsRecord({ ...item, payload: item["payload"] });
      expect(Buffer.byteLength(JSON.stringify(captured))).toBeLessThanOrEqual(KINESIS_RECORD_BYTES);
    });
    fc.assert(property, { numRuns: 30 });
  });
});

/** What a queue of any age takes; newer ones take 1 MiB. */
const MESSAGE_BYTES = 256 * 1024;
/** What Kinesis takes of any stream. */
const KINESIS_RECORD_BYTES = 1024 * 1024;
/** What EventBridge adds to an event. */
const ENVELOPE_OF_THE_BUS = {
  id: "018f3c1e-0000-7000-8000-000000000001",
  account: "123456789012",
  time: "2026-05-04T03:02:01Z",
  region: "ap-southeast-4",
  resources: [],
};
