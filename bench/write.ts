import type { Report } from "../local/servers/report";
import { startDelayProxy } from "./delay-proxy";
import { compare, type Figures, latencies, type Variant, warmUp } from "./interleave";
import { amount, MILLISECONDS, RATIO, type Row, rowOf, type Target } from "./row";
import { median } from "./statistics";
import { entityAndEvent, roundTrip, rowAlone } from "./writers";
import { type Connection, GUARDED, PLAIN, type WriteDatabase } from "./write-database";

const LOOPBACK = { chunks: 12, iterations: 150 };
const FAR = { chunks: 8, iterations: 40 };
/** Half of the added round trip of 2.4 ms. */
const DELAY_MILLISECONDS = 1.2;
/**
 * Enough for the JIT compilers of both sides: with 300, the first chunks were a tenth slower than the last.
 */
const WARM_UP_WRITES = 1_500;

const BOTH = "row and event, guarded";
const ALONE = "row alone";
const PREPARED = "row alone, prepared";
const NOTHING = "select 1";

/**
 * Measures the cost of the event: row and event through the runtime against the row alone with Kysely, on
 * loopback and with a delay.
 */
export async function benchWrite(database: WriteDatabase, report: Report): Promise<Row[]> {
  report("Writes on loopback, interleaved ...");
  const near = await measure(database, LOOPBACK);
  report("The same with a round trip of 2.4 ms added ...");
  const { host, port } = database;
  const proxy = await startDelayProxy({ host, port, milliseconds: DELAY_MILLISECONDS });
  try {
    const far = await measure(database, FAR, proxy.port);
    const roundTripMilliseconds = amount(median(far.get(NOTHING) ?? []), MILLISECONDS);
    return [
      ...rowsOf("loopback", near, { limit: 1.4, is: "at most" }),
      ...rowsOf(`+2.4 ms (select 1: ${roundTripMilliseconds})`, far, { limit: 1.1, is: "at most" }),
    ];
  } finally {
    await proxy.stop();
  }
}

async function measure(
  database: WriteDatabase,
  size: { chunks: number; iterations: number },
  port: number = database.port,
): Promise<Figures> {
  const connections: Connection[] = [];
  const connect = (prepared: boolean) => {
    const connection = database.connect({ connections: 1, prepared, port });
    connections.push(connection);
    return connection;
  };
  const variants: Variant[] = [
    entityAndEvent(BOTH, connect(true), GUARDED),
    rowAlone(ALONE, connect(false), PLAIN),
    rowAlone(PREPARED, connect(true), PLAIN),
    roundTrip(NOTHING, connect(false)),
  ];
  try {
    await warmUp(variants, port === database.port ? WARM_UP_WRITES : WARM_UP_WRITES / 10);
    return await latencies(variants, size);
  } finally {
    for (const connection of connections) await connection.close();
  }
}

function rowsOf(where: string, figures: Figures, target: Target): Row[] {
  const against = (other: string, judged?: Target) => {
    const [ours, theirs] = [BOTH, other].map((name) => amount(median(figures.get(name) ?? []), MILLISECONDS));
    const about = {
      area: "write",
      what: `${where}: ${BOTH} / ${other}`,
      measured: `${ours} / ${theirs}`,
    };
    const ratios = compare(figures, [BOTH, other], (one, base) => one / base);
    return rowOf(about, ratios, RATIO, judged);
  };
  return [against(ALONE, target), against(PREPARED)];
}
