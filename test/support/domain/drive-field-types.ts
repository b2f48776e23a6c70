/** Drives the values of every kind of field through a store. */
import fc from "fast-check";
import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, type StagedChange, table } from "../../../runtime";
import type { Row } from "../../../runtime/define/change";
import type { AnyTable } from "../../../runtime/define/table";
import { fieldOf } from "../../../runtime/store/fields";
import { canonical } from "../../../runtime/store/spelling";
import { FIELD_KINDS } from "./field-kinds";
import type { KnownEvents } from "../../../runtime/relay/known-events";

const REFUSALS = /^(INVALID_STATE|INVALID_VALUE|INVALID_ITEM|VALUE_CHANGED)$/;

/** What a kind's table is driven through. */
export interface FieldStore {
  handle: {
    find(id: string): Promise<Row | undefined>;
    create(fields: Row): { raise(event: string): StagedChange };
    update(row: Row, fields: Row): { raise(event: string): StagedChange };
    remove(row: Row): { raise(event: string): StagedChange };
  };
  commit(staged: StagedChange): Promise<unknown>;
  /** The value as another way of reading has it. */
  readAgain?(id: string): Promise<unknown>;
}

/** What was committed of a kind: id -> its values, one for each version. */
export type Committed = Map<string, unknown[]>;

/** The aggregate and the table of a kind; its key is "pk". */
export function thingsOf(kind: string): AnyTable {
  const { schema } = FIELD_KINDS[kind]!;
  const Thing = aggregate(`test.${thingName(kind)}`, {
    key: "pk",
    state: () => z.object({ pk: z.uuid(), value: schema() }),
    events: { [`${thingName(kind)}Put`]: () => z.object({}) },
  });
  return table(Thing, { private: () => z.object({ secret: schema().optional() }) }) as unknown as AnyTable;
}

/** The events of all kinds, for a relay. */
export const THING_EVENTS: KnownEvents = Object.fromEntries(
  Object.keys(FIELD_KINDS).map((kind) => [`test.${thingName(kind)}`, [`${thingName(kind)}Put`]]),
);

/** The name of a kind's aggregate. */
export function thingName(kind: string): string {
  return `Thing${Object.keys(FIELD_KINDS).indexOf(kind)}`;
}

/**
 * Declares a test for each kind: its values are created and updated, and read as they were given, or refused.
 *
 * @returns what was committed, for the subscribers' side
 */
export function driveFieldTypes(
  numRuns: number,
  open: (kind: string) => Promise<FieldStore>,
): Map<string, Committed> {
  const all = new Map<string, Committed>();
  describe.each(Object.entries(FIELD_KINDS))("%s", (kind, { schema, values }) => {
    test(
      "is read as it was given in its one spelling, or refused by a code",
      { timeout: 120_000 },
      async () => {
        const committed: Committed = new Map();
        all.set(kind, committed);
        const { handle, commit, readAgain } = await open(kind);
        const field = fieldOf(schema(), "value");
        const byDefault = schema().safeParse(undefined);
        const kept = (value: unknown) => {
          const given = value === undefined && byDefault.success ? byDefault.data : value;
          const known = canonical(field, given) ?? (field.isNullable ? null : undefined);
          return (JSON.parse(JSON.stringify({ known })) as { known?: unknown }).known;
        };
        const put = async (pk: string, change: { raise(event: string): StagedChange }, value: unknown) => {
          const result = await commit(change.raise(`${thingName(kind)}Put`)).catch((error: unknown) => error);
          if (result instanceof Error) {
            expect((result as { code?: string }).code).toMatch(REFUSALS);
            return;
          }
          expect(result).toMatchObject({ outcome: "committed" });
          committed.set(pk, [...(committed.get(pk) ?? []), kept(value)]);
          expect((await handle.find(pk.toUpperCase()))?.["value"]).toEqual(kept(value));
          if (readAgain) expect(await readAgain(pk)).toEqual(kept(value));
        };
        const property = fc.asyncProperty(values, values, values, async (first, second, secret) => {
          const pk = uuid();
          await put(pk, handle.create({ pk: pk.toUpperCase(), value: first, secret }), first);
          const read = await handle.find(pk);
          // Setting a field to undefined leaves it out, and a default is for new rows only.
          if (read && (second !== undefined || !byDefault.success))
            await put(pk, handle.update(read, { value: second }), second);
        });
        // Few runs may draw nothing that is taken.
        const taken = fc.sample(values, 200).filter((value) => schema().safeParse(value).success);
        const examples = taken
          .slice(0, 3)
          .map((value) => [value, value, undefined] as [unknown, unknown, unknown]);
        await fc.assert(property, { numRuns, examples });
        expect(committed.size).toBeGreaterThan(0);
      },
    );
  });
  return all;
}
