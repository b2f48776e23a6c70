import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { codedError } from "../../runtime/function/coded-error";

/**
 * Reads the configuration of a stack as Pulumi keeps it, defaults of Pulumi.yaml included.
 *
 * @throws STACK_UNKNOWN naming the stacks there are
 */
export function stackConfig(projectRoot: string, project: string, stack: string): Record<string, string> {
  const path = join(projectRoot, `Pulumi.${stack}.yaml`);
  if (!existsSync(path)) {
    const stacks = readdirSync(projectRoot).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
    throw codedError(
      "STACK_UNKNOWN",
      `There is no Pulumi.${stack}.yaml. Stacks with a file: ${stacks.join(", ") || "none"}.`,
    );
  }
  const declared = (read(join(projectRoot, "Pulumi.yaml"))["config"] ?? {}) as Record<
    string,
    { default?: unknown }
  >;
  const defaults = Object.entries(declared).flatMap(([name, { default: value }]) =>
    value === undefined ? [] : [[`${project}:${name}`, String(value)] as const],
  );
  const set = Object.entries((read(path)["config"] ?? {}) as Record<string, unknown>);
  const values = set.map(([name, value]) => [name, textOf(value)] as const);
  return Object.fromEntries([...defaults, ...values]);
}

/** As Pulumi gives a value to the program. A secret is encrypted for the Pulumi CLI; the program declares none. */
function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return "secure" in value ? "[secret]" : JSON.stringify(value);
}

function read(path: string): Record<string, unknown> {
  return (parse(readFileSync(path, "utf8")) ?? {}) as Record<string, unknown>;
}
