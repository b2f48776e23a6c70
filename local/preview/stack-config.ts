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
  // A secret of the stack is encrypted for the Pulumi CLI; the program declares none.
  const values = set.map(
    ([name, value]) => [name, typeof value === "object" ? "[secret]" : String(value)] as const,
  );
  return Object.fromEntries([...defaults, ...values]);
}

function read(path: string): Record<string, unknown> {
  return (parse(readFileSync(path, "utf8")) ?? {}) as Record<string, unknown>;
}
