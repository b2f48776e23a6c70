import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { AnyDomain } from "../../runtime/define/domain";
import { writeTableNames } from "../../runtime/function/table-names";
import { indexAttribute } from "../../runtime/projection/table";
import type { Access, FunctionEnvironment } from "../function/access";
import { queriedIndexes, type Used } from "../function/used";
import { table } from "../table";

/** A domain's projection tables by subscription. */
export type ProjectionTables = Record<string, aws.dynamodb.Table>;

/** Declares a table for each projection of a domain. */
export function projectionTables(
  domain: AnyDomain,
  deletionProtection: boolean,
  opts: pulumi.CustomResourceOptions,
): ProjectionTables {
  const made = Object.entries(domain.subscriptions).flatMap(([name, subscription]) => {
    if (subscription.kind !== "project") return [];
    const indexes = subscription.indexes.map((field) => ({ name: field, attribute: indexAttribute(field) }));
    const args = { hashKey: "aggregateId", indexes, deletionProtection };
    return [[name, table(`${domain.name}-${name}-projection`, args, opts)] as const];
  });
  return Object.fromEntries(made);
}

/** Allows a function to write one projection, and nothing else. */
export function writeProjection(name: string, tables: ProjectionTables): Access<"PROJECTION_TABLES"> {
  const arn = tables[name]?.arn ?? "";
  return {
    environment: namesOf(tables, [name]),
    statements: [{ Sid: "WriteProjection", Action: ["dynamodb:PutItem"], Resource: arn }],
  };
}

/** Allows a function to read the projections that it uses: by key or by index, as its code does. */
export function readProjections(
  domain: AnyDomain,
  tables: ProjectionTables,
  uses: Used,
): Access<"PROJECTION_TABLES"> {
  const used = Object.keys(tables).filter((name) => uses[name]);
  const arns = used.filter((name) => uses[name]?.read).map((name) => tables[name]?.arn ?? "");
  const indexes = used.flatMap((name) => {
    const subscription = domain.subscriptions[name];
    if (subscription?.kind !== "project") return [];
    return queriedIndexes(uses[name], subscription.indexes).map(
      (field) => pulumi.interpolate`${tables[name]?.arn}/index/${field}`,
    );
  });
  const read = { Sid: "ReadProjections", Action: ["dynamodb:GetItem"], Resource: arns };
  const query = { Sid: "QueryProjections", Action: ["dynamodb:Query"], Resource: indexes };
  return {
    environment: namesOf(tables, used),
    statements: [...(arns.length > 0 ? [read] : []), ...(indexes.length > 0 ? [query] : [])],
  };
}

function namesOf(
  tables: ProjectionTables,
  names: readonly string[],
): FunctionEnvironment<"PROJECTION_TABLES"> {
  const physical = Object.fromEntries(names.map((name) => [name, tables[name]?.name ?? ""]));
  return { PROJECTION_TABLES: pulumi.output(physical).apply(writeTableNames) };
}
