import type { Report } from "../local/servers/report";
import { compare, type Figures, latencies, throughputs, type Variant, warmUp } from "./interleave";
import { amount, MICROSECONDS, RATIO, type Row, rowOf, type Unit } from "./row";
import { median } from "./statistics";
import { entityAndEvent } from "./writers";
import type { WriteDatabase } from "./write-database";

const ALONE = { chunks: 12, iterations: 150 };
const MANY = { rounds: 21, sliceMilliseconds: 150, concurrency: 16 };
const WARM_UP_WRITES = 300;
const PER_SECOND: Unit = { decimals: 0, suffix: "/s" };

const WITH = "with guard and checks";
const WITHOUT = "without";

/**
 * Measures the cost of guard and checks: the same writes of row and event to tables with their triggers, and to copies
 * without any.
 */
export async function benchGuard(database: WriteDatabase, report: Report): Promise<Row[]> {
  report("Writes with and without the guard, one connection ...");
  const alone = await using(database, 1, async (variants) => {
    await warmUp(variants, WARM_UP_WRITES);
    return latencies(variants, ALONE);
  });
  report(`Writes with and without the guard, ${MANY.concurrency} connections ...`);
  const many = await using(database, MANY.concurrency, async (variants) => {
    await warmUp(variants, WARM_UP_WRITES / MANY.concurrency, MANY.concurrency);
    return throughputs(variants, MANY);
  });
  const microseconds = compare(alone, [WITH, WITHOUT], (one, other) => (one - other) * 1_000);
  const ratios = compare(many, [WITH, WITHOUT], (one, other) => one / other);
  const cost = {
    area: "guard",
    what: `added to a write, 1 connection: ${WITH} - ${WITHOUT}`,
    measured: measured(alone, { decimals: 2, suffix: " ms" }),
  };
  const throughput = {
    area: "guard",
    what: `throughput, ${MANY.concurrency} connections: ${WITH} / ${WITHOUT}`,
    measured: measured(many, PER_SECOND),
  };
  return [rowOf(cost, microseconds, MICROSECONDS), rowOf(throughput, ratios, RATIO)];
}

function measured(figures: Figures, unit: Unit): string {
  return [WITH, WITHOUT].map((name) => amount(median(figures.get(name) ?? []), unit)).join(" / ");
}

async function using(
  database: WriteDatabase,
  connections: number,
  work: (variants: Variant[]) => Promise<Figures>,
): Promise<Figures> {
  const guarded = database.connect({ connections, prepared: true });
  const unguarded = database.connect({ connections, prepared: true, unguarded: true });
  try {
    return await work([entityAndEvent(WITH, guarded), entityAndEvent(WITHOUT, unguarded)]);
  } finally {
    await guarded.close();
    await unguarded.close();
  }
}
