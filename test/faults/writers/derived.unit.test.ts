import { expect, test } from "vitest";
import { loadDomainsFrom } from "../../../dist/registry/load-domains.js";
import { FIXTURE_DOMAINS } from "../../../dist/test/fixtures/source.js";
import { derivedOperations } from "../../../dist/test/faults/writers/derived.js";
import type { Operation } from "../../../dist/test/faults/writers/operation.js";

const { all } = loadDomainsFrom(FIXTURE_DOMAINS.domains);
const derived = (seed: number, length = 1_000): Operation[] => {
  const operationAt = derivedOperations(all);
  return Array.from({ length }, (_, index) => operationAt?.(seed, index) as Operation);
};

test("the same seed gives the same operations", () => {
  expect(JSON.stringify(derived(3, 200))).toBe(JSON.stringify(derived(3, 200)));
  expect(JSON.stringify(derived(3, 200))).not.toBe(JSON.stringify(derived(4, 200)));
});

test("every command of every domain is sent, and raw SQL is tried in each way", () => {
  const names = derived(5, 2_000).map((one) =>
    one.kind === "sql" ? `sql ${one.how}` : `${one.domain}.${one.command}`,
  );
  expect([...new Set(names)].sort()).toEqual([
    "loans.lendBook",
    "loans.returnBook",
    "loans.returnCity",
    "members.joinLibrary",
    "members.leaveLibrary",
    "members.moveMember",
    "members.renameCity",
    "sql committed",
    "sql rolledBack",
  ]);
});

test("every input fits its command's schema", () => {
  for (const operation of derived(7)) {
    if (operation.kind === "sql") continue;
    const { domain, command, input } = operation;
    const schema = all.find(({ name }) => name === domain)?.commands[command]?.input();
    expect(schema?.safeParse(input), `${domain}.${command} ${JSON.stringify(input)}`).toMatchObject({
      success: true,
    });
  }
});

test("commands of different domains go for the same aggregates", () => {
  const ids = (command: string) =>
    derived(9).flatMap((one) =>
      one.kind === "command" && one.command === command
        ? [(one.input as { memberId?: string }).memberId ?? ""]
        : [],
    );
  const joined = new Set(ids("joinLibrary"));
  expect(ids("lendBook").filter((id) => joined.has(id)).length).toBeGreaterThan(20);
});

test("domains without commands have nothing to write", () => {
  expect(derivedOperations(all.map((domain) => ({ ...domain, commands: {} })))).toBeUndefined();
});
