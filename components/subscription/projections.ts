import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { AnyDomain } from "../../runtime/define/domain";
import { ENVIRONMENT } from "../../runtime/function/environment";
import type { Access } from "../function/access";
import { table } from "../table";

/** A domain's projection tables, by subscription. */
export type ProjectionTables = Record<string, aws.dynamodb.Table>;

/** Makes a table for each projection of a domain. */
export function projectionTables(
  domain: AnyDomain,
  deletionProtection: boolean,
  opts: pulumi.CustomResourceOptions,
): ProjectionTables {
  const projections = Object.entries(domain.subscriptions).filter(([, { kind }]) => kind === "project");
  return Object.fromEntries(
    projections.map(([name]) => [
      name,
      table(`${domain.name}-${name}-projection`, { hashKey: "aggregateId", deletionProtection }, opts),
    ]),
  );
}

/** Lets a function write one projection, and nothing else. */
export function writeProjection(name: string, tables: ProjectionTables): Access {
  const arn = tables[name]?.arn ?? "";
  return {
    environment: namesOf(tables, [name]),
    statements: [{ Sid: "WriteProjection", Action: ["dynamodb:PutItem"], Resource: arn }],
  };
}

/** Lets a function read those projections that it uses. */
export function readProjections(tables: ProjectionTables, uses: readonly string[]): Access {
  const used = Object.keys(tables).filter((name) => uses.includes(name));
  if (used.length === 0) return { environment: { [ENVIRONMENT.projectionTables]: "{}" }, statements: [] };
  const arns = used.flatMap((name) => tables[name]?.arn ?? []);
  return {
    environment: namesOf(tables, used),
    statements: [{ Sid: "ReadProjections", Action: ["dynamodb:GetItem"], Resource: arns }],
  };
}

function namesOf(tables: ProjectionTables, names: readonly string[]): Access["environment"] {
  const physical = Object.fromEntries(names.map((name) => [name, tables[name]?.name ?? ""]));
  return { [ENVIRONMENT.projectionTables]: pulumi.jsonStringify(physical) };
}
