import { describe, expect, test } from "vitest";
import { z } from "zod";
import { command, microservice, project, react, table } from "../../runtime";
import { domain as members } from "../fixtures/domains/members";
import { Member } from "../fixtures/domains/members/contract";
import { Loan } from "../fixtures/domains/loans/contract";
import { inMemory } from "./in-memory-domain";

const ID = "0a2e4c5d-1111-4222-8333-444455556666";
const ada = { memberId: ID, name: "Ada", email: "ada@example.com", city: "Turin", lent: 0, version: 3 };
const loans = table(Loan, { private: () => z.object({ shelf: z.string() }) });
const loan = { loanId: ID, memberId: ID, title: "Emma", status: "out" as const, shelf: "A1" };
const copies = project(Member, ({ name, city }) => ({ name, city }), { indexes: ["city"] });

/** A domain whose one command makes this change. */
const changing = (handle: Parameters<typeof command<z.ZodType, { loans: typeof loans }>>[0]["handle"]) =>
  microservice("loans", {
    tables: { loans },
    commands: { change: command({ uses: { loans }, input: () => z.any(), handle }) },
  });
const changed = (handle: Parameters<typeof changing>[0]) =>
  inMemory(changing(handle), { loans: [{ ...loan, version: 2 }] }).run("change", {});

describe("A domain in memory refuses, as its stores would,", () => {
  test("an event whose change does not fit its contract", async () => {
    const silent = changed(async (_, { loans }) =>
      loans.remove({ ...loan, version: 2 }).raise("LoanForgotten", {} as never),
    );
    await expect(silent).rejects.toMatchObject({ code: "INVALID_CHANGE" });
  });

  test("a state that does not fit its contract, in a creation and in an update", async () => {
    const created = changed(async (_, { loans }) =>
      loans
        .create({ ...loan, loanId: "5a2e4c5d-1111-4222-8333-444455556666", title: "" })
        .raise("BookReturned"),
    );
    await expect(created).rejects.toMatchObject({ code: "INVALID_STATE" });
    const updated = changed(async (_, { loans }) =>
      loans.update({ ...loan, version: 2 }, { status: "lost" as "out" }).raise("BookReturned"),
    );
    await expect(updated).rejects.toMatchObject({ code: "INVALID_STATE" });
  });

  test("private fields that do not fit their schema", async () => {
    const updated = changed(async (_, { loans }) =>
      loans.update({ ...loan, version: 2 }, { shelf: 7 as never }).raise("BookReturned"),
    );
    await expect(updated).rejects.toThrow("The private fields do not fit");
  });

  test("a change of another version than the one that is there", async () => {
    const stale = changed(async (_, { loans }) =>
      loans.remove({ ...loan, version: 1 }).raise("BookReturned"),
    );
    expect(await stale).toMatchObject({ outcome: "conflict" });
  });

  test("an event for a reaction that no domain could have published", async () => {
    const left = react(Member, { uses: {}, on: { MemberLeft: async () => [] } });
    const { react: reacts } = inMemory(microservice("loans", { subscriptions: { left } }));
    const event = { type: "MemberLeft", aggregateId: ID, change: { reason: "moved" }, state: null };
    expect(await reacts("left", event)).toEqual([]);
    await expect(reacts("left", { ...event, change: {} })).rejects.toMatchObject({ code: "INVALID_CHANGE" });
    await expect(reacts("left", { ...event, state: {} })).rejects.toMatchObject({ code: "INVALID_STATE" });
    await expect(reacts("left", { ...event, type: "MemberMoved" })).rejects.toThrow("does not react");
  });

  test("two changes of one aggregate", async () => {
    const row = { ...loan, version: 2 };
    const twice = changed(async (_, { loans }) => [
      loans.update(row, { title: "Persuasion" }).raise("BookReturned"),
      loans.remove(row).raise("BookReturned"),
    ]);
    await expect(twice).rejects.toMatchObject({ code: "AGGREGATE_CHANGED_TWICE" });
  });

  test("a lookup by an index that is not declared", async () => {
    const byTitle = changed(async (_, { loans }) => {
      await loans.where("title" as never, "Emma");
      return [];
    });
    await expect(byTitle).rejects.toMatchObject({ code: "INDEX_UNKNOWN" });
  });

  test("Kysely's builders, which need PostgreSQL", async () => {
    const lent = { type: "BookLent", aggregateId: ID, change: { memberId: ID }, state: null };
    const counted = inMemory(members, { members: [ada] }).react("counted", lent);
    await expect(counted).rejects.toThrow('"members" is used with Kysely, which needs PostgreSQL');
  });
});

test("A domain in memory finds rows and projected fields by key and by index", async () => {
  const look = command({
    uses: { loans, copies },
    input: () => z.object({}),
    handle: async (_, { loans, copies }) => {
      const found = [(await loans.get(ID)).title, (await copies.get(ID)).name];
      expect([...found, (await copies.where("city", "Turin")).length]).toEqual(["Emma", "Ada", 1]);
      return [];
    },
  });
  const domain = microservice("loans", { tables: { loans }, subscriptions: { copies }, commands: { look } });
  const known = { loans: [{ ...loan, version: 2 }], copies: { [ID]: { name: "Ada", city: "Turin" } } };
  expect(await inMemory(domain, known).run("look", {})).toEqual([]);
});
