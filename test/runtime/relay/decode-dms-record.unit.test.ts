import { describe, expect, test } from "vitest";
import { decodeDmsRecord } from "../../../runtime/relay/kinesis-relay";
import { dmsRecord } from "../../support/domain/outbox-records";

const decode = (record: unknown) => decodeDmsRecord(Buffer.from(JSON.stringify(record)));
const decodeRow = (row: Record<string, unknown>) => decode(dmsRecord(row));

/** The row without these columns. */
function without(...columns: string[]) {
  const record = dmsRecord();
  for (const column of columns) delete (record.data as Record<string, unknown>)[column];
  return record;
}

describe("a record of AWS DMS", () => {
  test("of an inserted outbox row is its event", () => {
    expect(decode(dmsRecord())).toEqual({
      kind: "event",
      record: {
        id: "018f3c1e-0000-7000-8000-000000000001",
        aggregate: "bank.Account",
        aggregateId: "account-1",
        aggregateVersion: 3,
        type: "AccountCredited",
        schemaVersion: 2,
        data: { change: { amount: 5 }, state: { owner: "Zoë" } },
        occurredAt: "2026-05-04T03:02:01.234Z",
        correlationId: "request-1",
        causationId: "command-1",
        traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
      },
    });
  });

  test("in MessageFormat json, with line breaks, is read as well", () => {
    const pretty = Buffer.from(`${JSON.stringify(dmsRecord(), undefined, 2)}\n`);
    expect(decodeDmsRecord(pretty)).toEqual(decode(dmsRecord()));
  });

  test("of a full load is the same event: it has no transaction details", () => {
    const { data } = dmsRecord();
    const metadata = {
      timestamp: "2026-05-04T03:02:02.983670Z",
      "record-type": "data",
      operation: "load",
      "partition-key-type": "primary-key",
      "partition-key-value": "public.outbox.42",
      "schema-name": "public",
      "table-name": "outbox",
    };
    expect(decode({ data, metadata })).toEqual(decode(dmsRecord()));
  });

  test("may leave null columns out, or send empty text for them", () => {
    const expected = { kind: "event", record: { causationId: undefined, traceparent: undefined } };
    expect(decode(without("causation_id", "traceparent"))).toMatchObject(expected);
    expect(decodeRow({ causation_id: null, traceparent: null })).toMatchObject(expected);
    expect(decodeRow({ causation_id: "", traceparent: "" })).toMatchObject(expected);
  });

  test("may carry the version as text", () => {
    expect(decodeRow({ aggregate_version: "12" })).toMatchObject({ record: { aggregateVersion: 12 } });
  });

  test.each([
    ["2026-05-04T03:02:01.234567Z", "2026-05-04T03:02:01.234Z"],
    ["2026-05-04 03:02:01.234567+00", "2026-05-04T03:02:01.234Z"],
    ["2026-05-04T05:32:01+02:30", "2026-05-04T03:02:01.000Z"],
    ["2026-05-04T01:02:01-0200", "2026-05-04T03:02:01.000Z"],
    ["2026-05-04T03:02:01.234567", "2026-05-04T03:02:01.234Z"],
    ["2026-05-04 03:02:01", "2026-05-04T03:02:01.000Z"],
  ])("happened at %s, which without a zone is UTC, whatever the zone of the machine", (time, expected) => {
    const zone = process.env["TZ"];
    process.env["TZ"] = "America/New_York";
    try {
      expect(decodeRow({ occurred_at: time })).toMatchObject({ record: { occurredAt: expected } });
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  test("of a deleted aggregate has a null state", () => {
    const payload = '{"state": null, "change": {"reason": "moved"}}';
    expect(decodeRow({ payload })).toMatchObject({
      record: { data: { change: { reason: "moved" }, state: null } },
    });
  });
});

describe("ignored is", () => {
  test.each(["update", "delete", "truncate"])('the operation "%s" on the outbox', (operation) => {
    expect(decode({ ...dmsRecord({}, { operation }), "before-image": {} })).toEqual({ kind: "ignored" });
  });

  test("a deletion whose columns but the key are null", () => {
    const { metadata } = dmsRecord({}, { operation: "delete" });
    expect(decode({ data: { id: "1", aggregate: null, payload: null }, metadata })).toEqual({
      kind: "ignored",
    });
  });

  test("another table", () => {
    expect(decode(dmsRecord({}, { "table-name": "customers" }))).toEqual({ kind: "ignored" });
    expect(decode(dmsRecord({}, { "table-name": "awsdms_heartbeat" }))).toEqual({ kind: "ignored" });
  });

  test("a control record, with its details or without", () => {
    const metadata = {
      operation: "create-table",
      "record-type": "control",
      "partition-key-type": "task-id",
      "partition-key-value": "serv-res-id-1",
      "schema-name": "public",
      "table-name": "outbox",
    };
    const control = { "table-def": { columns: {}, "primary-key": ["id"] } };
    expect(decode({ control, metadata })).toEqual({ kind: "ignored" });
    expect(decode({ metadata })).toEqual({ kind: "ignored" });
    const exceptions = { ...metadata, "schema-name": "", "table-name": "awsdms_apply_exceptions" };
    expect(decode({ metadata: exceptions })).toEqual({ kind: "ignored" });
  });
});

describe("undecodable is", () => {
  test("what is no UTF-8", () => {
    const record = Buffer.from(JSON.stringify(dmsRecord({ correlation_id: "?" })));
    record[record.indexOf("?")] = 0xff;
    expect(decodeDmsRecord(record)).toMatchObject({
      kind: "undecodable",
      reason: "The record is not JSON in UTF-8.",
    });
  });

  test.each(["", "{", "not json", '{"data":{}}{"data":{}}'])("what is no JSON: %j", (text) => {
    expect(decodeDmsRecord(Buffer.from(text))).toMatchObject({
      kind: "undecodable",
      reason: "The record is not JSON in UTF-8.",
    });
  });

  test.each([null, 5, "text", [], {}, { data: {} }, { metadata: null }, { metadata: "x" }])(
    "JSON without metadata: %j",
    (record) => {
      expect(decode(record)).toMatchObject({ kind: "undecodable", reason: "The record has no metadata." });
    },
  );

  test("an insert without a row", () => {
    const { metadata } = dmsRecord();
    expect(decode({ metadata })).toMatchObject({ kind: "undecodable", reason: "The record has no data." });
    expect(decode({ data: null, metadata })).toMatchObject({
      kind: "undecodable",
      reason: "The record has no data.",
    });
  });

  test("a row that lacks columns, all of which are named", () => {
    expect(decode(without("id", "payload", "aggregate_version"))).toMatchObject({
      kind: "undecodable",
      reason: "Missing or wrong: id, payload, aggregateVersion.",
    });
  });

  test.each([
    ["a null id", { id: null }, "id"],
    ["an empty aggregate id", { aggregate_id: "" }, "aggregateId"],
    ["a payload that is no text", { payload: { change: {}, state: {} } }, "payload"],
    ["version 0", { aggregate_version: 0 }, "aggregateVersion"],
    ["a negative version", { aggregate_version: -1 }, "aggregateVersion"],
    ["a version that is no whole number", { aggregate_version: 1.5 }, "aggregateVersion"],
    ["a version that is no number", { aggregate_version: true }, "aggregateVersion"],
    ["a version beyond what a number holds exactly", { aggregate_version: 2 ** 53 }, "aggregateVersion"],
    ["a version in scientific notation", { aggregate_version: "1e3" }, "aggregateVersion"],
    ["no schema version", { schema_version: "" }, "schemaVersion"],
  ])("a row with %s", (_, row, name) => {
    expect(decodeRow(row)).toMatchObject({ kind: "undecodable", reason: `Missing or wrong: ${name}.` });
  });

  test("an operation that cannot be a text, which is left out", () => {
    for (const operation of [{ toString: null, valueOf: null }, ["insert"], null])
      expect(decode(dmsRecord({}, { operation }))).toEqual({ kind: "ignored" });
  });

  test.each([
    ["id", "id"],
    ["aggregate_id", "aggregateId"],
    ["correlation_id", "correlationId"],
    ["causation_id", "causationId"],
    ["traceparent", "traceparent"],
  ])("a row whose %s subscribers would refuse", (column, name) => {
    for (const value of ["x".repeat(257), "a\0", "a\ud800"]) {
      expect(decodeRow({ [column]: value })).toMatchObject({
        kind: "undecodable",
        reason: `${name} is not a text of 1 to 256 characters, without NUL and half surrogate pairs.`,
      });
    }
  });

  test.each(["Account:Opened", "x".repeat(129)])(
    "a row of the type %j, which the bus or subscribers would refuse",
    (type) => {
      expect(decodeRow({ type })).toMatchObject({
        kind: "undecodable",
        reason: "The type is longer than 128 characters, or has a colon.",
      });
    },
  );

  test.each([
    [
      "a number that is none any more",
      '{"change":{"n":1e400},"state":null}',
      '"n" is a number that not every store holds',
    ],
    [
      "half of a surrogate pair",
      '{"change":{},"state":{"a":["\\ud800"]}}',
      'a value in "a" holds a NUL character or half',
    ],
    ["a NUL character", '{"change":{},"state":{"a":"\\u0000"}}', '"a" holds a NUL character or half'],
    [
      "a name that is a prototype",
      '{"change":{"a":{"__proto__":1}},"state":null}',
      '"a" has the key "__proto__"',
    ],
    [
      "10,000 levels",
      `{"change":{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}},"state":null}`,
      "is nested too deeply",
    ],
  ])("a row whose payload holds %s", (_, payload, what) => {
    expect(decodeRow({ payload })).toMatchObject({
      kind: "undecodable",
      reason: expect.stringContaining(what) as string,
    });
  });

  test("a row of a year that times cannot have", () => {
    expect(decodeRow({ occurred_at: "+275760-09-13T00:00:00Z" })).toMatchObject({
      kind: "undecodable",
      reason: "occurredAt is not a time.",
    });
  });

  test.each(["customers", "a.b.c", ".Account", "bank.", "bank:x.Account", "bank.Acc:ount"])(
    "a row of the aggregate %j",
    (aggregate) => {
      expect(decodeRow({ aggregate })).toMatchObject({
        kind: "undecodable",
        reason: 'The aggregate is not named "<domain>.<Aggregate>".',
      });
    },
  );

  test.each([
    ['{"state": {"owner": "Z', "which DMS truncated"],
    ["null", "that is null"],
    ['"text"', "that is a text"],
    ["[]", "that is a list"],
    ['{"state": null}', "without a change"],
    ['{"change": {}}', "without a state"],
  ])("a row with the payload %s, %s", (payload) => {
    expect(decodeRow({ payload })).toMatchObject({
      kind: "undecodable",
      reason: "The payload is not JSON with change and state.",
    });
  });

  test("a row with a time that is none", () => {
    expect(decodeRow({ occurred_at: "yesterday" })).toMatchObject({
      kind: "undecodable",
      reason: "occurredAt is not a time.",
    });
  });
});
