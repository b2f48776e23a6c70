import type { Report } from "../local/servers/report";
import { startDelayProxy } from "./delay-proxy";
import { compare, type Figures, latencies, throughputs, type Variant, warmUp } from "./interleave";
import { amount, MILLISECONDS, RATIO, type Row, rowOf, type Target, type Unit } from "./row";
import { median } from "./statistics";
import { entityAndEvent, handWritten, roundTrip, rowAlone, withLibrary } from "./writers";
import type { Connection, WriteDatabase } from "./write-database";

const LOOPBACK = { chunks: 12, iterations: 150 };
const FAR = { chunks: 8, iterations: 40 };
const BATCHES = { chunks: 10, iterations: 12 };
const MANY = { rounds: 21, sliceMilliseconds: 150, concurrency: 16 };
/** Half of the added round trip of 2.4 ms. */
const DELAY_MILLISECONDS = 1.2;
/**
 * Enough for the JIT compilers of both sides: with 300, the first chunks were a tenth slower than the last.
 */
const WARM_UP_WRITES = 1_500;
/** Changes of one transaction. */
const BATCH = 100;
const PER_SECOND: Unit = { decimals: 0, suffix: "/s" };

const BOTH = "row and event, guarded";
const ALONE = "row alone";
const PREPARED = "row alone, prepared";
const BY_HAND = "hand-written transaction";
const LIBRARY = "pg-transactional-outbox";
const NOTHING = "select 1";

/**
 * Measures the cost of the event: rows and events through the runtime against the rows alone with Kysely, against a
 * hand-written transaction of rows and outbox, and against a library that does the same; on loopback, with a delay,
 * with many connections, and for many changes in one transaction.
 */
export async function benchWrite(database: WriteDatabase, report: Report): Promise<Row[]> {
  report("Writes on loopback, interleaved ...");
  const near = await measured(database, {}, (variants) => latencies(variants, LOOPBACK));
  report(`${MANY.concurrency} connections ...`);
  const { concurrency } = MANY;
  const many = await measured(database, { connections: concurrency }, (variants) =>
    throughputs(variants, MANY),
  );
  report(`${BATCH} changes in one transaction ...`);
  const batches = await measured(database, { count: BATCH }, (variants) => latencies(variants, BATCHES));
  report("A round trip of 2.4 ms added ...");
  const { host, port } = database;
  const proxy = await startDelayProxy({ host, port, milliseconds: DELAY_MILLISECONDS });
  try {
    const far = await measured(database, { port: proxy.port }, (variants) => latencies(variants, FAR));
    const roundTripMilliseconds = amount(median(far.get(NOTHING) ?? []), MILLISECONDS);
    const delayed = `+2.4 ms (select 1: ${roundTripMilliseconds})`;
    return [
      latencyRow("loopback", near, ALONE, { limit: 1.5, is: "at most" }),
      latencyRow("loopback", near, PREPARED),
      latencyRow("loopback", near, BY_HAND, CHEAPER),
      latencyRow("loopback", near, LIBRARY, CHEAPER),
      throughputRow(many, BY_HAND),
      throughputRow(many, LIBRARY),
      latencyRow(delayed, far, ALONE, { limit: 1.12, is: "at most" }),
      latencyRow(delayed, far, PREPARED),
      latencyRow(delayed, far, BY_HAND, CHEAPER),
      latencyRow(`${BATCH} in one transaction`, batches, ALONE, { limit: 2.4, is: "at most" }),
      latencyRow(`${BATCH} in one transaction`, batches, BY_HAND),
      latencyRow(`${BATCH} in one transaction`, batches, LIBRARY, CHEAPER),
    ];
  } finally {
    await proxy.stop();
  }
}

const CHEAPER: Target = { limit: 1, is: "at most" };

interface Measurement {
  connections?: number;
  port?: number;
  /** Changes of one transaction. */
  count?: number;
}

async function measured(
  database: WriteDatabase,
  { connections = 1, port = database.port, count = 1 }: Measurement,
  measure: (variants: Variant[]) => Promise<Figures>,
): Promise<Figures> {
  const opened: Connection[] = [];
  const connect = (options: { prepared: boolean; unguarded?: boolean }) => {
    const connection = database.connect({ connections, port, ...options });
    opened.push(connection);
    return connection;
  };
  const theirs = { prepared: false, unguarded: true };
  const variants: Variant[] = [
    entityAndEvent(BOTH, connect({ prepared: true }), count),
    rowAlone(ALONE, connect(theirs), count),
    rowAlone(PREPARED, connect({ ...theirs, prepared: true }), count),
    handWritten(BY_HAND, connect(theirs), count),
    withLibrary(LIBRARY, connect(theirs), count),
    roundTrip(NOTHING, connect(theirs)),
  ];
  try {
    await warmUp(
      variants,
      port === database.port ? WARM_UP_WRITES / count / connections : WARM_UP_WRITES / 10,
      connections,
    );
    return await measure(variants);
  } finally {
    for (const connection of opened) await connection.close();
  }
}

function latencyRow(where: string, figures: Figures, other: string, judged?: Target): Row {
  const [ours, theirs] = [BOTH, other].map((name) => amount(median(figures.get(name) ?? []), MILLISECONDS));
  const about = { area: "write", what: `${where}: ${BOTH} / ${other}`, measured: `${ours} / ${theirs}` };
  return rowOf(
    about,
    compare(figures, [BOTH, other], (one, base) => one / base),
    RATIO,
    judged,
  );
}

function throughputRow(figures: Figures, other: string): Row {
  const [ours, theirs] = [BOTH, other].map((name) => amount(median(figures.get(name) ?? []), PER_SECOND));
  const about = {
    area: "write",
    what: `throughput, ${MANY.concurrency} connections: ${BOTH} / ${other}`,
    measured: `${ours} / ${theirs}`,
  };
  const ratios = compare(figures, [BOTH, other], (one, base) => one / base);
  return rowOf(about, ratios, RATIO, { limit: 1, is: "at least" });
}
