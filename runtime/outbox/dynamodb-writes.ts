import type { TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import { v7 as uuid } from "uuid";
import type { OutboxRecord } from "../cloud-event";
import { codedError } from "../coded-error";
import { aggregateName } from "../contract";
import type { CommitContext, CommittedChange, Once, StagedDynamoChange } from "../staged-change";
import { MAX_PAYLOAD_BYTES, payloadTooLarge } from "./payload-limit";
import { issuesOf, validChange, validState } from "./validation";

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
}

const SECONDS_PER_DAY = 86_400;

/**
 * Makes the two actions of a change: the entity on the condition that it still has the version that was read, and the outbox item
 * on the condition that there is none of that version.
 *
 * @throws EVENT_UNKNOWN, INVALID_CHANGE, INVALID_STATE, EVENT_TOO_LARGE
 */
export function dynamoWrite(
  staged: StagedDynamoChange,
  tables: DynamoTables,
  context: CommitContext,
  now: Date,
): DynamoWrite {
  const { aggregate } = staged.definition;
  const id = staged.item[aggregate.key] as string;
  const version = staged.version + 1;
  const data = {
    change: validChange(aggregate, staged.type, staged.change),
    state: staged.operation === "remove" ? null : validState(aggregate, staged.item),
  };
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
  const bytes = Buffer.byteLength(JSON.stringify(data));
  if (bytes > MAX_PAYLOAD_BYTES)
    throw payloadTooLarge(`Event "${staged.type}" of ${record.aggregate} "${id}"`, bytes);
  const committed = { aggregate: record.aggregate, id, version, event: staged.type, eventId: record.id };
  return {
    staged,
    actions: [entityAction(staged, tables, version), outboxAction(record, tables, now)],
    committed,
  };
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

function entityAction(staged: StagedDynamoChange, tables: DynamoTables, version: number): TransactItem {
  const { aggregate } = staged.definition;
  const { key } = aggregate;
  const removed = { [key]: staged.item[key], version, removed: true };
  const item = staged.operation === "remove" ? removed : { ...validItem(staged), version };
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

/** Public and private fields as their schemas yield them; whatever else stands in the item is not written. */
function validItem(staged: StagedDynamoChange): Record<string, unknown> {
  const { aggregate } = staged.definition;
  const result = staged.definition.private().safeParse(staged.item);
  if (!result.success) {
    throw codedError(
      "INVALID_STATE",
      `The private fields of ${aggregate.name} do not fit their schema: ${issuesOf(result.error)}. Nothing was written.`,
    );
  }
  return { ...result.data, ...validState(aggregate, staged.item) };
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
