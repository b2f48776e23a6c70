import type { TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import { v7 as uuid } from "uuid";
import type { Row, StagedChange } from "../define/change";
import type { AnyTable } from "../define/table";
import type { OutboxRecord } from "../envelope/cloud-event";
import { codedError } from "../function/coded-error";
import { refusedValue } from "../store/refused-values";
import type { CommitContext, CommittedChange } from "../store/store";
import {
  MAX_PAYLOAD_BYTES,
  stateOf,
  validChange,
  validKey,
  validPrivateFields,
  validState,
} from "../store/validation";
import { checkedItemBytes, INDEX_KEY_RULE, isIndexKey } from "./item";

/** One action of a TransactWriteItems request. */
export type TransactItem = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];

/** Physical names and retention of a microservice's tables. */
export interface DynamoTables {
  /** Entity table as registered -> physical name. */
  entities: Record<string, string>;
  outbox: string;
  inbox: string;
  outboxRetentionDays: number;
  inboxRetentionDays: number;
}

/** A change to be written. */
export type DynamoChange = Exclude<StagedChange, { operation: "kysely" }> & {
  /**
   * For a creation: the last version of an earlier life of its key, from which its versions continue.
   * @default 0, none
   */
  lastVersion?: number;
};

/** The actions of a change, and what to return once they are committed. */
export interface DynamoWrite {
  staged: DynamoChange;
  actions: [entity: TransactItem, outbox: TransactItem];
  committed: CommittedChange;
  /** Size of the two items. */
  bytes: number;
}

const SECONDS_PER_DAY = 86_400;

/**
 * Makes the two actions of a change: the entity item, on the condition that it still has the version that was
 * read, and the outbox item, on the condition that there is none of that version.
 *
 * @throws EVENT_UNKNOWN, INVALID_KEY, INVALID_CHANGE, INVALID_STATE, EVENT_TOO_LARGE, INVALID_ITEM,
 *   ITEM_TOO_LARGE, TABLE_UNKNOWN
 */
export function dynamoWrite(
  staged: DynamoChange,
  tables: DynamoTables,
  context: CommitContext,
  now: Date,
): DynamoWrite {
  const { definition, event } = staged;
  const { aggregate } = definition;
  const { fields, version: versionRead } = changedItem(staged);
  const id = validKey(aggregate, fields[aggregate.key]);
  const version = versionRead + 1;
  const state =
    staged.operation === "remove" ? null : (stateOf(definition, fields) ?? validState(aggregate, fields));
  const data = { change: validChange(aggregate, event, staged.change), state };
  const record: OutboxRecord = {
    id: uuid(),
    aggregate: aggregate.name,
    aggregateId: id,
    aggregateVersion: version,
    type: event,
    schemaVersion: aggregate.events[event]?.version ?? 1,
    data,
    occurredAt: now.toISOString(),
    correlationId: context.correlationId,
    causationId: context.causationId,
    traceparent: context.traceparent,
  };
  checkPayload(record);
  const committed = { aggregate: record.aggregate, id, version, event, eventId: record.id };
  const item = state
    ? { ...validPrivateFields(definition, fields), ...state }
    : { [aggregate.key]: id, removed: true };
  checkIndexes(definition, item);
  const entity = entityAction(staged, versionRead, tables, { ...item, version });
  const outbox = outboxAction(record, tables, now);
  const bytes =
    checkedItemBytes(`${record.aggregate} "${id}"`, entity.Put?.Item ?? {}) +
    checkedItemBytes(`The event of ${record.aggregate} "${id}"`, outbox.Put?.Item ?? {});
  return { staged, actions: [entity, outbox], committed, bytes };
}

function checkPayload({ type, aggregate, aggregateId, data }: OutboxRecord): void {
  const bytes = Buffer.byteLength(JSON.stringify(data));
  if (bytes <= MAX_PAYLOAD_BYTES) return;
  throw codedError(
    "EVENT_TOO_LARGE",
    `Event "${type}" of ${aggregate} "${aggregateId}" has a payload of ${bytes} bytes; the limit is ${MAX_PAYLOAD_BYTES}. Nothing was written. Keep large content elsewhere and publish a reference to it.`,
  );
}

/**
 * All fields after the change (before it, for a removal), and the version that was read (0 for a creation).
 */
function changedItem(staged: DynamoChange): { fields: Row; version: number } {
  if (staged.operation === "create") return { fields: staged.fields, version: staged.lastVersion ?? 0 };
  // `update` and `remove` have checked that the row has a version.
  const { version, ...read } = staged.row as Row & { version: number };
  return { fields: staged.operation === "update" ? { ...read, ...staged.fields } : read, version };
}

function entityAction(
  staged: DynamoChange,
  versionRead: number,
  tables: DynamoTables,
  item: Row,
): TransactItem {
  const { key } = staged.definition.aggregate;
  const unread = versionRead === 0;
  return {
    Put: {
      TableName: physicalName(tables, staged.table),
      Item: item,
      ConditionExpression: unread ? "attribute_not_exists(#key)" : "#version = :version",
      ExpressionAttributeNames: unread ? { "#key": key } : { "#version": "version" },
      ...(unread ? {} : { ExpressionAttributeValues: { ":version": versionRead } }),
      // Tells a failed creation whether the item exists, or is the tombstone of an earlier life.
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    },
  };
}

function outboxAction(record: OutboxRecord, tables: DynamoTables, now: Date): TransactItem {
  const { data, ...fields } = record;
  return {
    Put: {
      TableName: tables.outbox,
      Item: {
        ...fields,
        aggregateKey: `${record.aggregate}#${record.aggregateId}`,
        payload: JSON.stringify(data),
        expiresAt: expiry(now, tables.outboxRetentionDays),
      },
      ConditionExpression: "attribute_not_exists(aggregateVersion)",
    },
  };
}

/** DynamoDB refuses an item whose indexed field cannot be a key. */
function checkIndexes({ aggregate, indexes }: AnyTable, item: Row): void {
  const index = indexes.find((name) => item[name] !== undefined && !isIndexKey(item[name]));
  if (!index) return;
  const message = `is an index, so it must be ${INDEX_KEY_RULE} or absent`;
  throw refusedValue(`The new state of ${aggregate.name}`, [{ path: index, message }]);
}

function physicalName(tables: DynamoTables, table: string): string {
  const name = tables.entities[table];
  if (name) return name;
  throw codedError(
    "TABLE_UNKNOWN",
    `There is no entity table "${table}" here; there are: ${Object.keys(tables.entities).join(", ")}.`,
  );
}

/** DynamoDB's time to live of an item, in seconds since 1970. */
export function expiry(now: Date, days: number): number {
  return Math.floor(now.getTime() / 1000) + days * SECONDS_PER_DAY;
}
