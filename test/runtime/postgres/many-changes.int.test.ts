import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import type { Row, StagedChange } from "../../../runtime/define/change";
import { committing, context, handlesOf, openPost, type Post } from "../../support/domain/post";

let together: Post;
beforeAll(async () => {
  together = await openPost();
});

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
      [100, 1],
      [250, 3],
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
