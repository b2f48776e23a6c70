import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, table } from "../../../runtime";
import type { AnyTable } from "../../../runtime/define/table";
import { isKnownToBeValid } from "../../../runtime/postgres/commit";
import type { DescribedChange } from "../../../runtime/postgres/statement";
import { accounts, newAccount } from "../../support/domain/account";

const ROW = newAccount("018f3c1e-0000-7000-8000-000000000001");
const known = (
  operation: DescribedChange["operation"],
  values: Record<string, unknown>,
  more = false,
  definition: AnyTable = accounts,
) => isKnownToBeValid(definition, { operation, values, more });
const INVALID = expect.objectContaining({ code: "INVALID_STATE" }) as Error;

describe("the state that an insert leads to", () => {
  test("is known when every public field has a value", () => {
    expect(known("insert", ROW)).toBe(true);
  });

  test("is known whatever private fields are set to", () => {
    expect(known("insert", { ...ROW, note: sql`now()::text` })).toBe(true);
  });

  test("is only the database's to tell when a field is left to its default", () => {
    expect(known("insert", { ...ROW, grade: undefined })).toBe(false);
  });

  test("is only the database's to tell when a value is an expression", () => {
    expect(known("insert", { ...ROW, balance: sql`2 + 3` })).toBe(false);
    expect(known("insert", { ...ROW, balance: () => sql`2 + 3` })).toBe(false);
  });

  test("is only the database's to tell when the builder says more", () => {
    expect(known("insert", ROW, true)).toBe(false);
  });

  test("is refused before anything is written when it does not fit", () => {
    expect(() => known("insert", { ...ROW, balance: -1 })).toThrow(INVALID);
    expect(() => known("insert", { ...ROW, owner: null })).toThrow(INVALID);
  });
});

describe("the state that an update leads to", () => {
  test("is known when what is set fits: the rest was checked when it was written", () => {
    expect(known("update", { balance: 7 })).toBe(true);
    expect(known("update", { note: "private only" })).toBe(true);
  });

  test("is only the database's to tell when a value is an expression or the builder says more", () => {
    expect(known("update", { balance: sql`balance + 1` })).toBe(false);
    expect(known("update", { balance: 7 }, true)).toBe(false);
  });

  test("is refused before anything is written when what is set does not fit", () => {
    expect(() => known("update", { balance: 0.5 })).toThrow(INVALID);
    expect(() => known("update", { owner: null })).toThrow(INVALID);
  });

  test("is only the database's to tell when the contract checks fields against each other", () => {
    const Range = aggregate("bank.Range", {
      key: "rangeId",
      state: () =>
        z.object({ rangeId: z.string(), low: z.number(), high: z.number() }).refine((r) => r.low <= r.high),
      events: { Moved: () => z.object({}) },
    });
    const ranges = table(Range);
    expect(known("update", { low: 7 }, false, ranges)).toBe(false);
    expect(known("insert", { rangeId: "r", low: 1, high: 2 }, false, ranges)).toBe(true);
    expect(() => known("insert", { rangeId: "r", low: 2, high: 1 }, false, ranges)).toThrow(INVALID);
  });
});

describe("a deletion", () => {
  test("leads to no state that could be wrong", () => {
    expect(known("delete", {})).toBe(true);
  });
});
