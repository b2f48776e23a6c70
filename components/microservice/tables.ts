import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { MicroserviceDomain } from "../../runtime/define/domain";
import type { DynamoVariable } from "../../runtime/dynamodb/store";
import { writeTableNames } from "../../runtime/function/table-names";
import { type Access, both } from "../function/access";
import { queriedIndexes, type Used } from "../function/used";
import { INBOX_RETENTION_DAYS } from "../inbox-retention";
import type { PolicyStatement } from "../function/policy";
import { type ProjectionTables, projectionTables, readProjections } from "../subscription/projections";
import { table } from "../table";

/** A microservice's tables. */
export interface MicroserviceStore {
  entities: Record<string, aws.dynamodb.Table>;
  outbox: aws.dynamodb.Table;
  inbox: aws.dynamodb.Table;
  projections: ProjectionTables;
}

/**
 * Allows writes inside transactions only, in which an entity and its event commit atomically. That the event is in the
 * transaction IAM cannot demand: the runtime puts it there.
 */
const IN_TRANSACTION = {
  "ForAnyValue:StringEquals": { "dynamodb:EnclosingOperation": ["TransactWriteItems"] },
};

/** Declares the tables of a microservice. */
export function microserviceStore(
  domain: MicroserviceDomain,
  deletionProtection: boolean,
  opts: pulumi.CustomResourceOptions,
): MicroserviceStore {
  const entities = Object.entries(domain.tables).map(([name, { aggregate, indexes }]) => {
    const args = {
      hashKey: aggregate.key,
      indexes: indexes.map((field) => ({ name: field, attribute: field })),
      deletionProtection,
    };
    return [name, table(`${domain.name}-${name}-table`, args, opts)] as const;
  });
  return {
    entities: Object.fromEntries(entities),
    outbox: table(
      `${domain.name}-outbox`,
      {
        hashKey: "aggregateKey",
        rangeKey: { name: "aggregateVersion", type: "N" },
        stream: true,
        expires: "expiresAt",
        deletionProtection,
      },
      opts,
    ),
    inbox: table(
      `${domain.name}-inbox`,
      {
        hashKey: "messageId",
        rangeKey: { name: "consumer", type: "S" },
        expires: "expiresAt",
        deletionProtection,
      },
      opts,
    ),
    projections: projectionTables(domain, deletionProtection, opts),
  };
}

/**
 * Allows a function to do with tables and projections what its code does, and to write the inbox and, with an entity,
 * the outbox; in transactions only.
 *
 * @param uses undefined for a function without handlers, which commits nothing
 */
export function useStore(
  domain: MicroserviceDomain,
  store: MicroserviceStore,
  outboxRetentionDays: number,
  uses: Used | undefined,
): Access<DynamoVariable> {
  const { entities: tables, outbox, inbox, projections } = store;
  const used = Object.keys(tables).filter((name) => uses?.[name]);
  const arnOf = (name: string) => tables[name]?.arn ?? "";
  const readable = used.filter((name) => uses?.[name]?.read).map(arnOf);
  const written = used.filter((name) => uses?.[name]?.write).map(arnOf);
  const indexes = used.flatMap((name) =>
    queriedIndexes(uses?.[name], domain.tables[name]?.indexes ?? []).map(
      (index) => pulumi.interpolate`${arnOf(name)}/index/${index}`,
    ),
  );
  const physical = Object.fromEntries(used.map((name) => [name, tables[name]?.name ?? ""]));
  const read: PolicyStatement = { Sid: "ReadEntities", Action: ["dynamodb:GetItem"], Resource: readable };
  const query: PolicyStatement = { Sid: "QueryIndexes", Action: ["dynamodb:Query"], Resource: indexes };
  const write: PolicyStatement = {
    Sid: "WriteInTransactions",
    Action: ["dynamodb:PutItem"],
    Resource: [...written, ...(written.length > 0 ? [outbox.arn] : []), inbox.arn],
    Condition: IN_TRANSACTION,
  };
  const entities = {
    environment: {
      ENTITY_TABLES: pulumi.output(physical).apply(writeTableNames),
      OUTBOX_TABLE: outbox.name,
      INBOX_TABLE: inbox.name,
      OUTBOX_RETENTION_DAYS: String(outboxRetentionDays),
      INBOX_RETENTION_DAYS: String(INBOX_RETENTION_DAYS),
    },
    statements: [
      ...(readable.length > 0 ? [read] : []),
      ...(indexes.length > 0 ? [query] : []),
      ...(uses ? [write] : []),
    ],
  };
  return both(entities, readProjections(domain, projections, uses ?? {}));
}

/** Allows a function to read what was committed under a request's id. */
export function readInbox(store: MicroserviceStore): Access<never> {
  // It is read with TransactGetItems, which IAM knows as GetItem.
  const read = { Sid: "ReadInbox", Action: ["dynamodb:GetItem"], Resource: store.inbox.arn };
  return { environment: {}, statements: [read] };
}
