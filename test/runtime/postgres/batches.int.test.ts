/**
 * Changes of one transaction that are written together are what they are one by one: the same rows, events, versions
 * and refusals.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { v5 as uuidOf, v7 as uuid } from "uuid";
import { z } from "zod";
import { aggregate, table } from "../../../runtime";
import type { Row, StagedChange } from "../../../runtime/define/change";
import { registerContracts } from "../../../runtime/postgres/contracts";
import { storeOn } from "../../../runtime/postgres/store";
import type { Store } from "../../../runtime/store/store";
import { applicationConnection } from "../../support/postgres/bank-database";
import { connect, freshDatabase } from "../../support/postgres/postgres";

const Parcel = aggregate("post.Parcel", {
  key: "parcelId",
  state: () =>
    z.object({
      parcelId: z.uuid(),
      label: z.string(),
      weight: z.number().nullable(),
      price: z.string().regex(/^\d{1,6}\.\d\d$/),
      sentAt: z.iso.datetime().optional(),
      tags: z.array(z.string()),
      place: z.object({ city: z.string().optional(), floors: z.array(z.int()) }).nullable(),
    }),
  events: { ParcelPosted: () => z.object({ by: z.string() }), ParcelLost: () => z.object({}) },
});
const parcels = table(Parcel, {
  private: () => z.object({ note: z.string().nullish(), scan: z.json().optional() }),
  rejections: { parcels_label_key: "LABEL_TAKEN", parcels_weight_check: "TOO_HEAVY" },
});
const Stamp = aggregate("post.Stamp", {
  key: "code",
  state: () => z.object({ code: z.string(), used: z.boolean() }),
  events: { StampPrinted: () => z.object({}), StampUsed: () => z.object({}) },
});
const stamps = table(Stamp);

const TABLES = `
  create table parcels (
    parcel_id uuid primary key, label text not null constraint parcels_label_key unique,
    weight double precision constraint parcels_weight_check check (weight < 1000), price numeric(8, 2) not null,
    sent_at timestamptz, tags jsonb not null, place jsonb, note text, scan jsonb, number serial, version integer not null
  );
  create table stamps (code text primary key, used boolean not null, version integer not null);
  grant select, insert, update, delete on parcels, stamps to monolith_application;
  grant usage on sequence parcels_number_seq to monolith_application;
  select guard_entity_table('parcels', 'post.Parcel', 'parcel_id'), guard_entity_table('stamps', 'post.Stamp', 'code');
`;

interface Post {
  store: Store;
  statements: string[];
  query(text: string, ...values: unknown[]): Promise<Row[]>;
}

async function openPost(): Promise<Post> {
  const database = await freshDatabase();
  const admin = await connect(database.url);
  await admin.query(TABLES);
  await registerContracts(admin, [
    { domain: "post", name: "parcels", definition: parcels },
    { domain: "post", name: "stamps", definition: stamps },
  ]);
  const { db, statements } = applicationConnection(database);
  return {
    store: storeOn(db),
    statements,
    query: async (text, ...values) => (await admin.query(text, values)).rows,
  };
}

let together: Post;
let apart: Post;
beforeAll(async () => {
  [together, apart] = await Promise.all([openPost(), openPost()]);
});

const text = fc.oneof(
  fc.constantFrom("", "'", '"', "\\", "null", "NaN", "{}", "é", "🎈", "\u2028", "$1", "%", "a\tb\n", " 1 "),
  fc.string({ unit: "binary", maxLength: 8 }).filter((one) => !/\0|\p{Cs}/u.test(one)),
);
const parcel = fc.record({
  weight: fc.option(
    fc.oneof(fc.constantFrom(-0, 0.1, 999.5, 1000), fc.double({ noNaN: true, min: -1e9, max: 1e9 })),
  ),
  price: fc
    .tuple(fc.nat(999_999), fc.nat(99))
    .map(([whole, part]) => `${whole}.${String(part).padStart(2, "0")}`),
  tags: fc.array(text, { maxLength: 3 }),
  place: fc.option(
    fc.record({ city: text, floors: fc.array(fc.integer(), { maxLength: 3 }) }, { requiredKeys: ["floors"] }),
  ),
});
const more = fc.record(
  {
    sentAt: fc.constantFrom(
      "2026-11-27T09:30:00.5Z",
      "2026-02-28T23:59:59.999999+02:00",
      "1969-12-31T23:59:59Z",
    ),
    note: fc.option(text),
    scan: fc.oneof(text, fc.integer(), fc.constantFrom({}, [], [[]], { a: [1, null] })),
  },
  { requiredKeys: [] },
);
/** What is done to the aggregate of this number; what the operation is follows from whether it exists. */
const step = fc.record({
  which: fc.nat(11),
  isStamp: fc.boolean(),
  removes: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  isStale: fc.integer({ min: 0, max: 60 }).map((one) => one === 0),
  label: fc.integer({ min: 0, max: 60 }),
  parcel,
  more,
  part: fc.constantFrom<readonly string[]>(
    ["weight"],
    ["price", "tags"],
    ["place", "note"],
    ["sentAt", "scan"],
  ),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const context = { correlationId: "test" };
type Handle = {
  find(id: string): Promise<(Row & { version: number }) | undefined>;
  create(row: Row): { raise(event: string, change?: object): StagedChange };
  update(row: Row, fields: Row): { raise(event: string, change?: object): StagedChange };
  remove(row: Row): { raise(event: string, change?: object): StagedChange };
};
const handlesOf = ({ store }: Post) =>
  store.handles({ parcels, stamps } as never) as unknown as { parcels: Handle; stamps: Handle };

/** The change that a step describes, by what the store has. */
async function changeOf(post: Post, run: string, one: Step): Promise<StagedChange> {
  const handles = handlesOf(post);
  const stale = (row: Row & { version: number }) =>
    one.isStale ? { ...row, version: row.version + 7 } : row;
  if (one.isStamp) {
    const code = `${run}'"${one.which}`;
    const found = await handles.stamps.find(code);
    if (!found) return handles.stamps.create({ code, used: false }).raise("StampPrinted");
    if (one.removes) return handles.stamps.remove(stale(found)).raise("StampUsed");
    return handles.stamps.update(stale(found), { used: !found["used"] }).raise("StampUsed");
  }
  const parcelId = uuidOf(`${run} ${one.which}`, uuidOf.URL);
  const found = await handles.parcels.find(parcelId);
  // Few labels, so that some are taken.
  const label = `${run} ${one.label === 0 ? "same" : one.which}`;
  const all: Row = { ...one.parcel, ...one.more };
  if (!found) return handles.parcels.create({ parcelId, label, ...all }).raise("ParcelPosted", { by: "é'" });
  if (one.removes) return handles.parcels.remove(stale(found)).raise("ParcelLost");
  const fields = Object.fromEntries(one.part.map((name) => [name, all[name]]));
  return handles.parcels.update(stale(found), fields).raise("ParcelPosted", { by: "" });
}

/** One change of each aggregate: two of the same in one transaction are refused before. */
function once(steps: readonly Step[]): Step[] {
  return [...new Map(steps.map((one) => [`${one.isStamp} ${one.which}`, one])).values()];
}

type Outcome = { outcome: string; code?: string };
async function committing(store: Store, changes: StagedChange[]): Promise<Outcome> {
  try {
    const result = await store.commit(changes, context);
    const { outcome } = result;
    return "rejection" in result ? { outcome, code: result.rejection.code } : { outcome };
  } catch (error) {
    return { outcome: "error", code: (error as { code?: string }).code ?? String(error) };
  }
}

async function contents({ query }: Post, run: string) {
  const ids = Array.from({ length: 12 }, (_, which) => uuidOf(`${run} ${which}`, uuidOf.URL));
  const columns = "parcel_id, label, weight, price, sent_at, tags, place, note, scan, version";
  return {
    parcels: await query(`select ${columns} from parcels where parcel_id = any ($1) order by 1`, ids),
    stamps: await query("select * from stamps where starts_with(code, $1) order by 1", run),
    events: await query(
      `select aggregate, aggregate_id, aggregate_version, type, schema_version, payload from outbox
         where aggregate_id = any ($1) or starts_with(aggregate_id, $2) order by 1, 2, 3`,
      ids,
      run,
    ),
  };
}

test(
  "Any changes of one transaction are, written together, what they are one by one",
  { timeout: 240_000 },
  async () => {
    const counted = { committed: 0, refused: 0 };
    const rounds = fc.array(fc.array(step, { minLength: 2, maxLength: 30 }), { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(rounds, async (all) => {
      const run = uuid();
      for (const steps of all.map(once)) {
        const changes = await Promise.all(steps.map((one) => changeOf(together, run, one)));
        const outcome = await committing(together.store, changes);
        let expected: Outcome = { outcome: "committed" };
        for (const one of await Promise.all(steps.map((each) => changeOf(apart, run, each)))) {
          expected = await committing(apart.store, [one]);
          if (expected.outcome !== "committed") break;
        }
        expect(outcome).toEqual(expected);
        if (outcome.outcome !== "committed") {
          counted.refused += 1;
          // Here the first of them are written, and there none: the comparison ends.
          return;
        }
        counted.committed += 1;
        expect(await contents(together, run)).toEqual(await contents(apart, run));
      }
    });
    await fc.assert(property, { numRuns: 60 });
    expect(counted.committed).toBeGreaterThan(20);
    expect(counted.refused).toBeGreaterThan(5);
  },
);

describe("Many changes", () => {
  const posted = (run: string, count: number, more: Row = {}) =>
    Array.from({ length: count }, (_, index) => {
      const fields = {
        label: `${run} ${index}`,
        weight: index % 900,
        price: "1.00",
        tags: ["x"],
        place: null,
        ...more,
      };
      return handlesOf(together)
        .parcels.create({ parcelId: uuid(), ...fields })
        .raise("ParcelPosted", { by: run });
    });

  test("of one table and operation are one statement between BEGIN and COMMIT, however many", async () => {
    for (const [count, statements] of [
      [2, 1],
      [500, 1],
      [1_200, 3],
    ] as const) {
      together.statements.length = 0;
      expect(await committing(together.store, posted(uuid(), count))).toEqual({ outcome: "committed" });
      expect(together.statements.map((one) => one.slice(0, 5))).toEqual([
        "begin",
        ...Array<string>(statements).fill("with "),
        "commi",
      ]);
    }
  });

  test("answer with each change's aggregate, version and event, in their order", async () => {
    const changes = posted(uuid(), 40);
    const result = await together.store.commit(changes, context);
    if (result.outcome !== "committed") throw new Error(result.outcome);
    const ids = changes.map((change) => (change as { fields: Row }).fields["parcelId"]);
    expect(result.changes.map(({ id, version, event }) => [id, version, event])).toEqual(
      ids.map((id) => [id, 1, "ParcelPosted"]),
    );
    expect(new Set(result.changes.map(({ eventId }) => eventId)).size).toBe(40);
  });

  test.each([
    ["a label that another has", { label: "taken" }, { outcome: "refused", code: "LABEL_TAKEN" }],
    ["a weight that is too large", { weight: 1_000 }, { outcome: "refused", code: "TOO_HEAVY" }],
    ["a price that is rounded", { price: "1.005" }, { outcome: "error", code: "INVALID_STATE" }],
    ["a text with NUL", { note: "a\0b" }, { outcome: "error", code: "INVALID_STATE" }],
    ["half of a surrogate pair", { label: "\ud83c" }, { outcome: "error", code: "INVALID_STATE" }],
  ])("write nothing when one has %s", async (_what, fault, expected) => {
    const run = uuid();
    await committing(together.store, posted(run, 1, { label: "taken" }));
    const changes = [...posted(run, 30), ...posted(uuid(), 1, fault), ...posted(`${run} more`, 5)];
    expect(await committing(together.store, changes)).toEqual(expected);
    const written = await together.query("select from parcels where starts_with(label, $1)", run);
    expect(written).toEqual([]);
  });

  test("keep their order where a constraint depends on it: a label changes hands", async () => {
    const run = uuid();
    const { parcels: handle } = handlesOf(together);
    const [first, second] = posted(run, 2);
    await committing(together.store, [first!, second!]);
    const read = async (change: StagedChange) =>
      (await handle.find(String((change as { fields: Row }).fields["parcelId"])))!;
    const [one, two] = [await read(first!), await read(second!)];
    const relabel = (row: Row, label: string) =>
      handle.update(row, { label }).raise("ParcelPosted", { by: run });
    expect(await committing(together.store, [relabel(one, `${run} free`), relabel(two, `${run} 0`)])).toEqual(
      {
        outcome: "committed",
      },
    );
    const again = [await read(first!), await read(second!)] as const;
    expect(
      await committing(together.store, [relabel(again[1], `${run} free`), relabel(again[0], `${run} 0`)]),
    ).toEqual({
      outcome: "refused",
      code: "LABEL_TAKEN",
    });
  });

  test("that meet another writer end in a conflict, and none is written", async () => {
    const run = uuid();
    const changes = posted(run, 20);
    await committing(together.store, changes);
    const { parcels: handle } = handlesOf(together);
    const ids = changes.map((change) => String((change as { fields: Row }).fields["parcelId"]));
    const rows = await Promise.all(ids.map(async (id) => (await handle.find(id))!));
    await committing(together.store, [handle.update(rows[7]!, { weight: 7.5 }).raise("ParcelLost")]);
    const updates = rows.map((row) => handle.update(row, { weight: 1 }).raise("ParcelLost"));
    expect(await committing(together.store, updates)).toEqual({ outcome: "conflict" });
    const versions = await together.query("select version from parcels where parcel_id = any ($1)", ids);
    expect(versions.filter(({ version }) => version !== 1)).toHaveLength(1);
  });
});
