import type { z } from "zod";
import { shortened } from "../function/coded-error";
import { dataFault } from "./plain-data";

/** What is wrong with data, and where: names of fields, joined by dots; "" for all of it. Values are left out: they may be private. */
export interface DataIssue {
  path: string;
  message: string;
}

/** Data as its schema yields it, or what is wrong with it. */
export type ParsedData<T> = { data: T } | { issues: DataIssue[] };

/** So many issues are told; a hostile input could have any number, in an answer larger than Lambda takes. */
const MAX_ISSUES = 20;

/** Parses data by a schema, and refuses what could not be stored or published as it is. Never throws, whatever comes in. */
export function parseData<T>(schema: z.ZodType<T>, value: unknown): ParsedData<T> {
  try {
    const result = schema.safeParse(value);
    if (!result.success) return { issues: result.error.issues.slice(0, MAX_ISSUES).map(issueOf) };
    const fault = dataFault(result.data);
    return fault ? { issues: [issueOf(fault)] } : { data: result.data };
  } catch {
    // A schema that refers to itself follows data until the stack overflows; a check of the contract's own may throw too.
    return {
      issues: [{ path: "", message: "cannot be checked: it is nested too deeply, or a check failed" }],
    };
  }
}

/** What was found, in one line. */
export function issuesText(issues: DataIssue[]): string {
  return issues.map(({ path, message }) => `${path || "(root)"}: ${message}`).join("; ");
}

function issueOf({ path, message }: { path: PropertyKey[]; message: string }): DataIssue {
  return { path: shortened(path.join(".")), message: shortened(message) };
}
