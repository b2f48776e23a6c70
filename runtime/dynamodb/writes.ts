import type { TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import { v7 as uuid } from "uuid";
import type { OutboxRecord } from "../envelope/cloud-event";
import { codedError } from "../function/coded-error";
import { aggregateName } from "../define/aggregate";
import { checkedItemBytes, INDEX_KEY_RULE, isIndexKey } from "./item";
import type { AnyDynamoTable } from "../define/table";
import { issuesText, parseData } from "../envelope/parse-data";
import type { CommitContext, CommittedChange, Once, StagedDynamoChange } from "../store/store";
import { MAX_PAYLOAD_BYTES, payloadTooLarge } from "../envelope/payload-limit";
import { validChange, validKey, validState } from "../store/validation";

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

/** A change ready to be written: the entity's action, the outbox item's, and what to tell of it. */
export interface DynamoWrite {
  staged: StagedDynamoChange;
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
  staged: StagedDynamoChange,
  tables: DynamoTables,
  context: CommitContext,
  now: Date,
): DynamoWrite {
  const { aggregate } = staged.definition;
  const id = validKey(aggregate, staged.item[aggregate.key]);
  const version = staged.version + 1;
  const state = staged.operation === "remove" ? null : validState(aggregate, staged.item);
  const data = { change: validChange(aggregate, staged.type, staged.change), state };
  const record: OutboxRecord = {
    id: uuid(),
    aggregate: aggregateName(aggregate),
    aggregateId: id,
    aggregateVersion: version,
    type: staged.type,
    schemaVersion: aggregate.events[staged.type]?.version ?? 1,
    data,
    occurredAt: now.toISOString(),
    correlationId: context.correlationId,
    causationId: context.causationId,
    traceparent: context.traceparent,
  };
  const payloadBytes = Buffer.byteLength(JSON.stringify(data));
  if (payloadBytes > MAX_PAYLOAD_BYTES)
    throw payloadTooLarge(`Event "${staged.type}" of ${record.aggregate} "${id}"`, payloadBytes);
  const committed = { aggregate: record.aggregate, id, version, event: staged.type, eventId: record.id };
  const item = state ? { ...validPrivateFields(staged), ...state } : { [aggregate.key]: id, removed: true };
  checkIndexes(staged.definition, item);
  const entity = entityAction(staged, tables, { ...item, version });
  const outbox = outboxAction(record, tables, now);
  const bytes =
    checkedItemBytes(`${record.aggregate} "${id}"`, entity.Put?.Item ?? {}) +
    checkedItemBytes(`The event of ${record.aggregate} "${id}"`, outbox.Put?.Item ?? {});
  return { staged, actions: [entity, outbox], committed, bytes };
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
  staged: StagedDynamoChange,
  tables: DynamoTables,
  item: Record<string, unknown>,
): TransactItem {
  const { key } = staged.definition.aggregate;
  const unread = staged.operation === "create" && staged.version === 0;
  return {
    Put: {
      TableName: physicalName(tables, staged.table),
      Item: item,
      ConditionExpression: unread ? "attribute_not_exists(#key)" : "#version = :version",
      ExpressionAttributeNames: unread ? { "#key": key } : { "#version": "version" },
      ...(unread ? {} : { ExpressionAttributeValues: { ":version": staged.version } }),
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

/** As their schema yields them; whatever else stands in the item is not written. */
function validPrivateFields(staged: StagedDynamoChange): Record<string, unknown> {
  const { aggregate } = staged.definition;
  const result = parseData(staged.definition.private(), staged.item);
  if ("data" in result) return result.data;
  throw codedError(
    "INVALID_STATE",
    `The private fields of ${aggregate.name} do not fit their schema: ${issuesText(result.issues)}. Nothing was written.`,
  );
}

/** DynamoDB refuses an item whose indexed field cannot be a key. */
function checkIndexes({ aggregate, indexes }: AnyDynamoTable, item: Record<string, unknown>): void {
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
