import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { MicroserviceDomain } from "../../runtime/define/domain";
import type { DynamoVariable } from "../../runtime/dynamodb/store";
import { writeTableNames } from "../../runtime/function/table-names";
import { type Access, both } from "../function/access";
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

/** Allows writes inside transactions only, in which an entity and its event commit atomically. */
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
 * Allows a function to use these tables and projections, and to write the outbox and the inbox, in transactions
 * only.
 */
export function useStore(
  domain: MicroserviceDomain,
  store: MicroserviceStore,
  outboxRetentionDays: number,
  uses: readonly string[],
): Access<DynamoVariable> {
  const used = Object.keys(store.entities).filter((name) => uses.includes(name));
  const arns = used.flatMap((name) => store.entities[name]?.arn ?? []);
  const indexes = used.flatMap((name) =>
    (domain.tables[name]?.indexes ?? []).map(
      (index) => pulumi.interpolate`${store.entities[name]?.arn}/index/${index}`,
    ),
  );
  const physical = Object.fromEntries(used.map((name) => [name, store.entities[name]?.name ?? ""]));
  const read: PolicyStatement = { Sid: "ReadEntities", Action: ["dynamodb:GetItem"], Resource: arns };
  const query: PolicyStatement = { Sid: "QueryIndexes", Action: ["dynamodb:Query"], Resource: indexes };
  const write: PolicyStatement = {
    Sid: "WriteInTransactions",
    Action: ["dynamodb:PutItem"],
    Resource: [...arns, store.outbox.arn, store.inbox.arn],
    Condition: IN_TRANSACTION,
  };
  const entities = {
    environment: {
      ENTITY_TABLES: pulumi.output(physical).apply(writeTableNames),
      OUTBOX_TABLE: store.outbox.name,
      INBOX_TABLE: store.inbox.name,
      OUTBOX_RETENTION_DAYS: String(outboxRetentionDays),
      INBOX_RETENTION_DAYS: String(INBOX_RETENTION_DAYS),
    },
    statements: [...(used.length > 0 ? [read] : []), ...(indexes.length > 0 ? [query] : []), write],
  };
  return both(entities, readProjections(domain, store.projections, uses));
}

/** Allows a function to read what was committed under a request's id. */
export function readInbox(store: MicroserviceStore): Access<never> {
  // It is read with TransactGetItems, which IAM knows as GetItem.
  const read = { Sid: "ReadInbox", Action: ["dynamodb:GetItem"], Resource: store.inbox.arn };
  return { environment: {}, statements: [read] };
}
