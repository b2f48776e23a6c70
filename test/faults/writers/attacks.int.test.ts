import type { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { loadDomainsFrom } from "../../../dist/registry/load-domains.js";
import { ATTACKS, attackOn, withAttacks } from "../../../dist/test/faults/writers/attacks.js";
import { derivedOperations } from "../../../dist/test/faults/writers/derived.js";
import { FIXTURE_DOMAINS } from "../../../dist/test/fixtures/source.js";
import { rawMember, transaction } from "../../runtime/postgres/migrations/guarded-member.js";
import { connect, freshDatabase } from "../../support/postgres/postgres.js";

const { all } = loadDomainsFrom(FIXTURE_DOMAINS.domains);
const members = all.find(({ name }) => name === "members")!.tables["members"]!;

let admin: Client;
let application: Client;
beforeAll(async () => {
  const database = await freshDatabase();
  admin = await connect(database.url);
  application = await connect(database.as("monolith_application").url);
  const member = rawMember(application);
  await transaction(application, async () => {
    await member.insert();
    await member.event(1);
  });
});

async function checks(how: "enable always" | "disable"): Promise<void> {
  await admin.query(
    `alter table outbox ${how} trigger outbox_check; alter table members ${how} trigger guard_outbox`,
  );
}

/** Attacks the only member up to the commit, which then does not take place. @returns the number of rows */
async function attack(kind: string): Promise<number> {
  const change = attackOn("members", members, {
    kind,
    foreign: "loans.Loan",
    row: 7,
    transactionId: "attack",
  });
  await application.query("begin");
  try {
    const rows = await change(application);
    await application.query("set constraints all immediate");
    return rows;
  } finally {
    await application.query("rollback");
  }
}

describe.each(Object.keys(ATTACKS))("%s", (kind) => {
  test("is refused, and by nothing but the guard and the check of events", async () => {
    await expect(attack(kind)).rejects.toMatchObject({ code: expect.stringMatching(/^DC00[14]$/) as string });
    await checks("disable");
    await expect(attack(kind).finally(() => checks("enable always"))).resolves.toBe(1);
  });
});

test("every attack comes in turn, and the operations between them stay as they were", () => {
  const plain = derivedOperations(all)!;
  const attacked = withAttacks(plain, all);
  const operations = Array.from({ length: 600 }, (_, index) => attacked(4, index));
  const others = operations.filter((one) => !(one.kind === "sql" && one.how === "refused"));
  expect(operations.length - others.length).toBeGreaterThan(2 * Object.keys(ATTACKS).length);
  expect(JSON.stringify(others)).toBe(JSON.stringify(others.map((_, index) => plain(4, index))));
  const microservices = all.filter(({ kind }) => kind === "microservice");
  expect(withAttacks(plain, microservices)).toBe(plain);
});
