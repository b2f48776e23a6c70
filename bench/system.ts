import { fork } from "node:child_process";
import { join } from "node:path";
import type { EventsResult } from "./event-load";
import { type Row, singleRow, type Unit } from "./row";
import { quantile } from "./statistics";
import type { SystemMessage } from "./system-process";

const SECONDS: Unit = { decimals: 1, suffix: " s" };
const WHOLE_MILLISECONDS: Unit = { decimals: 0, suffix: " ms" };
const COUNT: Unit = { decimals: 0, suffix: "" };
const STARTUP_LIMIT_SECONDS = 15;

/** Starts the whole system in a new process, and measures its start-up and the delivery of events. */
export async function benchSystem(areas: readonly ("events" | "startup")[]): Promise<Row[]> {
  const rows: Row[] = [];
  const started = performance.now();
  const child = fork(join(__dirname, "system-process.js"), areas.includes("events") ? ["events"] : [], {
    // Only the table goes to standard output.
    stdio: ["ignore", 2, 2, "ipc"],
  });
  child.on("message", (message: SystemMessage) => {
    if (message.kind === "events") rows.push(...eventRows(message.events));
    else if (areas.includes("startup")) rows.push(...startupRows(message, performance.now() - started));
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) throw new Error(`The system's process ended with exit code ${code}. See its output above.`);
  return rows;
}

function startupRows(
  { phases, commandMilliseconds, projectedMilliseconds }: Extract<SystemMessage, { kind: "projected" }>,
  milliseconds: number,
): Row[] {
  const area = "startup";
  const total = { area, what: "from an empty process to the first projected event", measured: "" };
  const steps = [
    ...phases.map(({ name, milliseconds }) => [name, milliseconds] as const),
    ["First command answered", commandMilliseconds] as const,
    ["Its event projected after", projectedMilliseconds] as const,
  ];
  return [
    singleRow(total, milliseconds / 1_000, SECONDS, { limit: STARTUP_LIMIT_SECONDS, is: "at most" }),
    ...steps.map(([name, taken]) =>
      singleRow({ area, what: `  ${name}`, measured: "" }, taken / 1_000, SECONDS),
    ),
  ];
}

function eventRows({ events, lost, rate, captured, published, done, every }: EventsResult): Row[] {
  const area = "events";
  const way = (what: string, times: number[]) => [
    singleRow(
      { area, what: `commit to ${what}, p50`, measured: "" },
      quantile(times, 0.5),
      WHOLE_MILLISECONDS,
    ),
    singleRow(
      { area, what: `commit to ${what}, p99`, measured: "" },
      quantile(times, 0.99),
      WHOLE_MILLISECONDS,
    ),
  ];
  const measured = `${events - lost} of ${events} arrived, ${rate.toFixed(0)}/s`;
  return [
    singleRow({ area, what: "lost", measured }, lost, COUNT, { limit: 0, is: "at most" }),
    ...way("the stream", captured),
    ...way("the bus", published),
    ...Object.entries(done).flatMap(([subscriber, times]) => way(`done at ${subscriber}`, times)),
    ...way("done at every subscriber", every),
  ];
}
