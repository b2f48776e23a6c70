import { expect, test } from "vitest";
import { GUARANTEES } from "../../dist/test/verdict/guarantees.js";
import { judge } from "../../dist/test/verdict/judge.js";
import type { Snapshot } from "../../dist/test/verdict/snapshot.js";
import type { WritersJournal } from "../../dist/test/verdict/writers-journal.js";
import { shopLandscape } from "../support/verdict/landscape.js";
import { shop } from "../support/verdict/shop.js";

const LANDSCAPE = shopLandscape();

test("a run in which every guarantee held has no findings", () => {
  const { snapshot, journal } = shop();
  expect(judge(snapshot, journal, LANDSCAPE)).toEqual([]);
});

test("repeats on the bus and in queues are no findings", () => {
  const { snapshot, journal } = shop();
  snapshot.bus.push(...structuredClone(snapshot.bus));
  snapshot.deadLetters.push(...structuredClone(snapshot.deadLetters));
  snapshot.quarantined.push(...structuredClone(snapshot.quarantined));
  expect(judge(snapshot, journal, LANDSCAPE)).toEqual([]);
});

test("a finding names the guarantee, the place, what was expected and what was found", () => {
  const { snapshot, journal, projected } = shop();
  projected("orders-customers-projection", "ada").fields = { name: "Ada", city: "Nowhere" };
  expect(judge(snapshot, journal, LANDSCAPE)).toEqual([
    {
      guarantee: "PROJECTION_EQUALS_SOURCE",
      where: 'orders-customers-projection "ada"',
      expected: '{"version":2,"fields":{"name":"Ada","city":"Lyon"}}',
      found: '[{"version":2,"fields":{"name":"Ada","city":"Nowhere"}}]',
    },
  ]);
});

test("a long value is shown by its beginning and its length", () => {
  const { snapshot, journal } = shop();
  snapshot.deadLetters.push({ queue: "orders-on-products-dlq", body: "x".repeat(5_000) });
  const [finding] = judge(snapshot, journal, LANDSCAPE);
  expect(finding?.found).toBe(`${"x".repeat(1_000)}... (5000 characters)`);
});

test("nothing but an event is missing among twenty thousand changes, and it is found", () => {
  const { snapshot, journal } = manyShops(600);
  expect(snapshot.changes.length).toBeGreaterThan(20_000);
  const lost = snapshot.outbox.findIndex(({ aggregateId }) => aggregateId === "321-vase");
  snapshot.outbox.splice(lost, 1);
  snapshot.bus = snapshot.bus.filter((envelope) => (envelope as { subject: string }).subject !== "321-vase");
  expect(judge(snapshot, journal, LANDSCAPE)).toMatchObject([
    { guarantee: "ONE_EVENT_PER_CHANGE", where: 'catalog.Product "321-vase" version 1', found: "none" },
  ]);
});

test("every guarantee is a sentence", () => {
  for (const sentence of Object.values(GUARANTEES)) expect(sentence).toMatch(/^[A-Z][^.]+\.$/);
});

/** The same run many times over, each time with other ids. */
function manyShops(times: number): { snapshot: Snapshot; journal: WritersJournal } {
  const { snapshot, journal } = shop();
  const all = { snapshot, journal };
  const names = "ada|bob|cid|dan|eve|lamp|sofa|vase|rug|odd|order-\\d|(?:request-|sql-)?[\\da-f-]{36}";
  // Some stand in JSON in texts.
  const ids = new RegExp(`(?<=")(?:${names})(?=\\\\?")`, "g");
  const text = JSON.stringify(all);
  for (let count = 1; count < times; count += 1) {
    const more = JSON.parse(text.replaceAll(ids, `${count}-$&`)) as typeof all;
    for (const part of ["changes", "entities", "outbox", "inbox", "bus"] as const)
      (snapshot[part] as unknown[]).push(...more.snapshot[part]);
    for (const [table, rows] of Object.entries(more.snapshot.projections))
      snapshot.projections[table]?.push(...rows);
    journal.requests.push(...more.journal.requests);
    const isRefused = ({ kind }: { kind: string }) => kind === "refused";
    journal.poison.push(...more.journal.poison.filter(isRefused));
    snapshot.deadLetters.push(...structuredClone(more.snapshot.deadLetters));
  }
  return all;
}
