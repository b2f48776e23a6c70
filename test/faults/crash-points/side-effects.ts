import type { AwsCall } from "../proxies/aws-proxy";

/** Physical names of tables end with a random suffix. */
const SUFFIX = /-[0-9a-f]{7}$/;
const READS = /^(GetItem|Query|GetSecretValue|select)( |$)/;
const LONGEST_TEXT_CHARACTERS = 60;

/** Describes an AWS call, e.g. "PutEvents" or "PutItem orders-customers-projection". */
export function sideEffectOfCall({ target, body }: Pick<AwsCall, "target" | "body">): string {
  const operation = target.split(".").at(-1) || "other call";
  if (!target.startsWith("DynamoDB")) return operation;
  const { TableName } = JSON.parse(body.toString("utf8")) as { TableName?: string };
  return TableName ? `${operation} ${TableName.replace(SUFFIX, "")}` : operation;
}

/** Describes a statement, e.g. "commit", "select products" or "insert into customers, with its event". */
export function sideEffectOfStatement(text: string): string {
  const said = text.trim().replace(/\s+/g, " ");
  const [, read] = /^select .*? from "?(\w+)/.exec(said) ?? [];
  if (read) return `select ${read}`;
  const [, verb, table] = /\b(insert into|update|delete from) "?(\w+)/.exec(said) ?? [];
  if (!verb) return said.slice(0, LONGEST_TEXT_CHARACTERS);
  return `${verb} ${table}${said.startsWith("with changed as") ? ", with its event" : ""}`;
}

/** Whether it only reads: a kill after a read equals a kill before the next side effect. */
export function isRead(sideEffect: string): boolean {
  return READS.test(sideEffect);
}
