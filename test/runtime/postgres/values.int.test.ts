import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, type StagedChange, table } from "../../../runtime";
import type { KyselyHandle } from "../../../runtime/define/handles";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import { kyselyHandle } from "../../../runtime/postgres/store";
import type { CommitContext } from "../../../runtime/store/store";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";
import { isCarried } from "../../support/domain/carried";
import { drawing, hostileValue, jsonText } from "../../support/domain/hostile";

/** An aggregate whose contract leaves to the database what it takes. */
const Label = aggregate("bank.Label", {
  key: "labelId",
  state: () => z.object({ labelId: z.string(), count: z.number(), more: z.unknown() }),
  events: { LabelPut: () => z.object({ why: z.unknown() }) },
});
const labelTable = table(Label, {
  private: () => z.object({ note: z.string().nullish() }),
  indexes: ["note"],
});

let bank: BankDatabase;
let labels: KyselyHandle<"labels", typeof labelTable>;
beforeAll(async () => {
  bank = await bankDatabase();
  // What `Store.handles` hands to commands, with its type.
  labels = kyselyHandle(bank.db, "labels", labelTable) as unknown as typeof labels;
  await bank.admin.query(`
    create table labels (label_id text primary key, count integer not null, more jsonb, note text, version integer not null);
    create index labels_note on labels (note);
    grant select, insert, update, delete on labels to monolith_application;
    select guard_entity_table('labels', 'bank.Label', 'label_id');
  `);
});

interface Values {
  labelId?: string;
  count?: number;
  more?: unknown;
  note?: string;
  why?: unknown;
}
const putting = ({ labelId = uuid(), count = 0, more = null, note, why = 1 }: Values) =>
  labels.create({ labelId, count, more, note: note ?? null }).raise("LabelPut", { why });
const commit = (changes: StagedChange[], context: Partial<CommitContext> = {}) =>
  commitToPostgres(bank.db, changes, { correlationId: "request-1", ...context });
async function written(): Promise<number> {
  const { rows } = await bank.admin.query<{ rows: number }>(
    "select (select count(*) from labels) + (select count(*) from outbox) + (select count(*) from inbox) as rows",
  );
  return Number(rows[0]!.rows);
}
/** Commits, by itself and among others, and expects a refusal and nothing written. */
async function refused(
  staged: () => StagedChange,
  code: string,
  { context = {} }: { context?: Partial<CommitContext> } = {},
) {
  const before = await written();
  await expect(commit([staged()], context)).rejects.toMatchObject({ code });
  await expect(commit([putting({}), staged()], context)).rejects.toMatchObject({ code });
  expect(await written()).toBe(before);
}

describe("a text that PostgreSQL would refuse or alter", () => {
  describe.each([
    ["a NUL character", "a\0b"],
    ["half of a surrogate pair", "a\ud83d"],
  ])("for %s", (_, text) => {
    test.each<[string, Values, string]>([
      ["a key", { labelId: text }, "INVALID_KEY"],
      ["a change", { why: { deep: [text] } }, "INVALID_CHANGE"],
      ["a private field", { note: text }, "INVALID_STATE"],
    ])("is refused by a code as %s, and nothing is written", async (_where, values, code) => {
      await refused(() => putting(values), code);
    });

    test("is refused by a code in a condition, in an expression and in a context, and nothing is written", async () => {
      const updating = (where: string, note: unknown) => () =>
        labels
          .change((table) => table.update({ note } as { note: string }).where("labelId", "=", where))
          .raise("LabelPut", { why: 1 });
      await refused(updating(text, "x"), "INVALID_VALUE");
      await refused(updating("x", sql`${text}::text`), "INVALID_VALUE");
      const read = { labelId: "x", count: 0, more: null, version: 1 };
      await refused(() => labels.update(read, { note: text }).raise("LabelPut", { why: 1 }), "INVALID_STATE");
      await refused(() => putting({}), "INVALID_VALUE", { context: { causationId: text } });
    });

    test("is found nowhere, since no row can have it", async () => {
      expect(await labels.find(text)).toBeUndefined();
      await expect(labels.get(text)).rejects.toMatchObject({ code: "LABEL_UNKNOWN" });
      expect(await labels.where("note", text)).toEqual([]);
    });
  });
});

describe("a value that its column does not take is refused by a code, without quoting it, and nothing is written:", () => {
  test.each<[string, Values, string]>([
    ["a number beyond an integer", { count: 2 ** 31 }, "INVALID_VALUE"],
    ["a number beyond the exact ones", { count: 2 ** 60 }, "INVALID_STATE"],
    ["a fraction", { count: 1.5 }, "INVALID_VALUE"],
    ["a number that is not one", { count: NaN }, "INVALID_STATE"],
    ["a key of more characters than the outbox keeps", { labelId: "é".repeat(257) }, "INVALID_KEY"],
    [
      "a key that PostgreSQL would cut off, since only blanks are too much",
      { labelId: `x${" ".repeat(300)}` },
      "INVALID_KEY",
    ],
    ["an empty key", { labelId: "" }, "INVALID_KEY"],
    ["an index's value beyond a page of it", { note: incompressible(9_000) }, "INVALID_VALUE"],
    ["a change of 10,000 levels", { why: nested(10_000) }, "INVALID_CHANGE"],
    ["a change that JSON does not have", { why: 1n }, "INVALID_CHANGE"],
  ])("%s", async (_, values, code) => {
    await refused(() => putting(values), code);
  });

  test("a key that only the database knows, and that is longer than the outbox keeps", async () => {
    const staged = () =>
      labels
        .change((table) => table.insert({ labelId: sql`repeat('x', 257)`, count: 0, more: "null" } as never))
        .raise("LabelPut", { why: 1 });
    await refused(staged, "INVALID_VALUE");
  });

  test("a JSON value of 10,000 levels", async () => {
    const more = "[".repeat(10_000) + "]".repeat(10_000);
    const staged = () =>
      labels
        .change((table) => table.insert({ labelId: uuid(), count: 0, more: sql`${more}::jsonb` } as never))
        .raise("LabelPut", { why: 1 });
    await refused(staged, "INVALID_VALUE");
  });

  test("a text that is not a uuid is found nowhere", async () => {
    expect(await bank.accounts.find("no uuid")).toBeUndefined();
    await expect(bank.accounts.get("no uuid")).rejects.toMatchObject({ code: "ACCOUNT_UNKNOWN" });
  });
});

describe("whatever a change holds", () => {
  test("is in the event as it was given, or refused by a code", { timeout: 120_000 }, async () => {
    const draw = drawing(20_261_127);
    let taken = 0;
    for (let run = 0; run < 300; run += 1) {
      const why: unknown = JSON.parse(jsonText(hostileValue(draw), 100));
      const labelId = uuid();
      const outcome = await commit([putting({ labelId, why })]).catch(
        (error: unknown) => error as { code: string },
      );
      const events = await bank.events(labelId);
      if ("outcome" in outcome) {
        taken += 1;
        // -0 is 0 in JSON.
        expect(events[0]!.payload.change).toEqual(JSON.parse(JSON.stringify({ why })));
      } else {
        expect(outcome.code).toMatch(/^(INVALID_CHANGE|EVENT_TOO_LARGE)$/);
        expect(events).toEqual([]);
      }
      if (!isCarried({ why })) expect(outcome).toMatchObject({ code: "INVALID_CHANGE" });
    }
    expect(taken).toBeGreaterThan(100);
  });
});

function nested(levels: number): unknown {
  return JSON.parse("[".repeat(levels) + "]".repeat(levels));
}

/** A text that compression does not make smaller by much. */
function incompressible(length: number): string {
  const draw = drawing(1);
  return Array.from({ length }, () => String.fromCodePoint(0x4e00 + draw(20_000))).join("");
}
