import type { TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import { v7 as uuid } from "uuid";
import type { Row, StagedChange } from "../define/change";
import type { AnyTable } from "../define/table";
import type { OutboxRecord } from "../envelope/cloud-event";
import { issuesText, parseData } from "../envelope/parse-data";
import { codedError } from "../function/coded-error";
import { MAX_PAYLOAD_BYTES, payloadTooLarge } from "../store/limits";
import type { CommitContext, CommittedChange, Once } from "../store/store";
import { validChange, validKey, validState } from "../store/validation";
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

/** A change on its way. */
export type DynamoChange = Exclude<StagedChange, { operation: "kysely" }> & {
  /** For a new item: the last version of an earlier life under its key, from which its versions go on. @default 0, none */
  lastVersion?: number;
};

/** A change ready to be written: the entity's action, the outbox item's, and what to tell of it. */
export interface DynamoWrite {
  staged: DynamoChange;
  actions: [entity: TransactItem, outbox: TransactItem];
  committed: CommittedChange;
  /** Of the two items. */
  bytes: number;
}

const SECONDS_PER_DAY = 86_400;

/**
 * Makes the two actions of a change: the entity on the condition that it still has the version that was read, and the outbox item
 * on the condition that there is none of that version.
 *
 * @throws EVENT_UNKNOWN, INVALID_KEY, INVALID_CHANGE, INVALID_STATE, EVENT_TOO_LARGE, ITEM_TOO_LARGE
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
  const state = staged.operation === "remove" ? null : validState(aggregate, fields);
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
  const payloadBytes = Buffer.byteLength(JSON.stringify(data));
  if (payloadBytes > MAX_PAYLOAD_BYTES)
    throw payloadTooLarge(`Event "${event}" of ${record.aggregate} "${id}"`, payloadBytes);
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

/** All fields after the change (before it, for a removal), and the version that was read; 0 for a new item. */
function changedItem(staged: DynamoChange): { fields: Row; version: number } {
  if (staged.operation === "create") return { fields: staged.fields, version: staged.lastVersion ?? 0 };
  // The verbs have checked that the row has a version.
  const { version, ...read } = staged.row as Row & { version: number };
  return { fields: staged.operation === "update" ? { ...read, ...staged.fields } : read, version };
}

/**
 * Marks a message or request as processed, on the condition that it was not before.
 *
 * @param changes what is committed with it; kept of a request
 */
export function inboxAction(
  { consumer, messageId, fingerprint }: Once,
  changes: CommittedChange[],
  tables: DynamoTables,
  now: Date,
): TransactItem {
  return {
    Put: {
      TableName: tables.inbox,
      Item: {
        consumer,
        messageId,
        ...(fingerprint === undefined ? {} : { fingerprint, changes }),
        processedAt: now.toISOString(),
        expiresAt: expiry(now, tables.inboxRetentionDays),
      },
      ConditionExpression: "attribute_not_exists(messageId)",
    },
  };
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
      // What a failed creation met: an item that lives, or what is left of one that was removed.
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

/** As their schema yields them; any other field of the item is not written. */
function validPrivateFields({ aggregate, private: hidden }: AnyTable, fields: Row): Row {
  const result = parseData(hidden(), fields);
  if ("data" in result) return result.data;
  throw codedError(
    "INVALID_STATE",
    `The private fields of ${aggregate.name} do not fit their schema: ${issuesText(result.issues)}. Nothing was written.`,
  );
}

/** DynamoDB refuses an item whose indexed field cannot be a key. */
function checkIndexes({ aggregate, indexes }: AnyTable, item: Row): void {
  const index = indexes.find((name) => item[name] !== undefined && !isIndexKey(item[name]));
  if (!index) return;
  throw codedError(
    "INVALID_STATE",
    `"${index}" of ${aggregate.name} is an index, so it must be ${INDEX_KEY_RULE} where it is there. Nothing was written.`,
  );
}

function physicalName(tables: DynamoTables, table: string): string {
  const name = tables.entities[table];
  if (name) return name;
  throw codedError(
    "TABLE_UNKNOWN",
    `There is no entity table "${table}" here; there are ${Object.keys(tables.entities).join(", ")}.`,
  );
}

function expiry(now: Date, days: number): number {
  return Math.floor(now.getTime() / 1000) + days * SECONDS_PER_DAY;
}
