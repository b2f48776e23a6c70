/**
 * Changes of one transaction that are written together are what they are one by one: the same rows, events, versions
 * and refusals.
 */
import fc from "fast-check";
import { v5 as uuidOf, v7 as uuid } from "uuid";
import { beforeAll, expect, test } from "vitest";
import type { Row, StagedChange } from "../../../runtime/define/change";
import { committing, handlesOf, openPost, type Outcome, type Post } from "../../support/domain/post";

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
    fc.oneof(
      fc.constantFrom(-0, 0.1, 999.5, 1000),
      fc.double({ noNaN: true, min: -1e9, max: 1e9 }).filter((one) => one === 0 || Math.abs(one) > 1e-100),
    ),
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
    await fc.assert(property, { numRuns: 40 });
    expect(counted.committed).toBeGreaterThan(20);
    expect(counted.refused).toBeGreaterThan(5);
  },
);
