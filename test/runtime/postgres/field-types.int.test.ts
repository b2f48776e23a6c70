import { beforeAll, expect, test } from "vitest";
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { dataRecord } from "../../../dist/local/capture/encode-dms-record.js";
import { readCaptureSettings } from "../../../dist/local/capture/settings.js";
import type { ColumnType, SourceTable } from "../../../dist/local/capture/source-database.js";
import { parseTestDecoding } from "../../../dist/local/capture/test-decoding-parser.js";
import type { KyselyHandle } from "../../../runtime/define/handles";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import { registerContracts } from "../../../runtime/postgres/contracts";
import { kyselyHandle } from "../../../runtime/postgres/store";
import { fieldOf } from "../../../runtime/store/fields";
import { makeKinesisRelay } from "../../../runtime/relay/kinesis-relay";
import { rulesFor, taskInputs } from "../../local/capture/task-inputs";
import {
  driveFieldTypes,
  type FieldStore,
  thingName,
  thingsOf,
  THING_EVENTS,
} from "../../support/domain/drive-field-types";
import { FIELD_KINDS } from "../../support/domain/field-kinds";
import { subscribersOf } from "../../support/dynamodb/field-subscribers";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";

const SLOT = `fields_${process.pid}_${Date.now()}`;
const subscribers = subscribersOf();
let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
  await bank.admin.query(`
    create type colour as enum ('red', 'green', 'blue');
    create domain short as varchar(5) check (value <> 'never')`);
  await bank.admin.query("select pg_create_logical_replication_slot($1, 'test_decoding')", [SLOT]);
});

const committed = driveFieldTypes(10, async (kind): Promise<FieldStore> => {
  const { schema, column } = FIELD_KINDS[kind]!;
  const [name, things] = [thingName(kind).toLowerCase(), thingsOf(kind)];
  const { isNullable, isOptional } = fieldOf(schema(), "value");
  const notNull = isNullable || isOptional ? "" : "not null";
  await bank.admin.query(`
    create table ${name} (pk uuid primary key, value ${column} ${notNull}, secret ${column}, version integer not null);
    grant select, insert, update, delete on ${name} to monolith_application;
    select guard_entity_table('${name}', '${things.aggregate.name}', 'pk')`);
  await registerContracts(bank.admin, [{ domain: "test", name, definition: things }]);
  // The handle that commands receive, loosely typed.
  const handle = kyselyHandle(bank.db, name, things) as unknown as FieldStore["handle"] &
    KyselyHandle<string, never>;
  return {
    handle,
    commit: (staged) => commitToPostgres(bank.db, [staged], { correlationId: "test" }),
    async readAgain(pk) {
      const query = handle.select().select("value" as never) as never as {
        where(field: string, is: "=", value: string): { execute(): Promise<{ value?: unknown }[]> };
      };
      return (await query.where("pk", "=", pk).execute())[0]?.value;
    },
  };
});

test(
  "and what was committed of all of them is captured, relayed and projected as it was given",
  { timeout: 300_000 },
  async () => {
    const { kinesis, createStream, start, projected } = await subscribers.open();
    const stream = await createStream();
    const records = await captured();
    for (let next = 0; next < records.length; next += 100) {
      const Records = records
        .slice(next, next + 100)
        .map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data }));
      expect(await kinesis.send(new PutRecordsCommand({ StreamName: stream.name, Records }))).toMatchObject({
        FailedRecordCount: 0,
      });
    }
    await start(stream.arn, "kinesis", makeKinesisRelay(THING_EVENTS).callbackFactory());
    await projected(committed);
  },
);

/** The outbox's rows in the log, as DMS writes them to its stream. */
async function captured() {
  const columns = await bank.admin.query<{ name: string; type: ColumnType }>(
    "select attname as name, format_type(atttypid, null) as type from pg_attribute where attrelid = 'outbox'::regclass and attnum > 0 and not attisdropped order by attnum",
  );
  const table: SourceTable = {
    schema: "public",
    name: "outbox",
    identifier: "public.outbox",
    columns: columns.rows,
  };
  const settings = readCaptureSettings(taskInputs({ rules: rulesFor("outbox", "aggregate_id") }));
  await bank.admin.query("set timezone to 'UTC'");
  const { rows } = await bank.admin.query<{ data: string }>(
    "select data from pg_logical_slot_get_changes($1, null, null, 'include-timestamp', 'on')",
    [SLOT],
  );
  const position = {
    transactionId: 1,
    recordId: 1,
    previous: undefined,
    committedAt: "2026-11-27 00:00:00+00",
    lsn: 1n,
  };
  return rows.flatMap(({ data }) => {
    const change = parseTestDecoding(data, table.identifier);
    return change.kind === "insert" ? [dataRecord(change, table, position, settings, new Date())] : [];
  });
}
