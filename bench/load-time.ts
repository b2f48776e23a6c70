import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { VariableName } from "../runtime/function/handler";
import { shuffled } from "./statistics";

/** A module whose load time is measured. */
export interface LoadTarget {
  name: string;
  path: string;
}

const ROUNDS = 9;
const run = promisify(execFile);

/**
 * Prints the milliseconds of one `require` in a new process, including the handler factory, as in a cold
 * start.
 */
const TIME_LOAD =
  "const started = performance.now(); require(process.argv[1]); process.stdout.write(String(performance.now() - started));" +
  "process.exit(0)";

/**
 * Loads each module in new processes, in turns and in random order.
 *
 * @returns name -> milliseconds, one per round, without the time to read the files from disk
 */
export async function loadTimes(targets: readonly LoadTarget[]): Promise<Map<string, number[]>> {
  const times = new Map(targets.map(({ name }) => [name, [] as number[]]));
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const { name, path } of shuffled(targets)) {
      const { stdout } = await run(process.execPath, ["-e", TIME_LOAD, path], { env: handlerEnvironment() });
      // The first round only fills the file cache.
      if (round >= 0) times.get(name)?.push(Number(stdout));
    }
  }
  return times;
}

/** Enough for a factory to make its clients; no call is sent. */
function handlerEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot } = process.env;
  const variables: Record<VariableName, string> = {
    EVENT_BUS_NAME: "1",
    QUARANTINE_QUEUE_URL: "1",
    HOLDS_TABLE: "1",
    ENTITY_TABLES: "{}",
    PROJECTION_TABLES: "{}",
    OUTBOX_TABLE: "1",
    INBOX_TABLE: "1",
    OUTBOX_RETENTION_DAYS: "1",
    INBOX_RETENTION_DAYS: "1",
    DATABASE_HOST: "1",
    DATABASE_PORT: "1",
    DATABASE_NAME: "1",
    DATABASE_TLS: "1",
    DATABASE_SECRET_ARN: "1",
  };
  return {
    PATH,
    SystemRoot,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "none",
    AWS_SECRET_ACCESS_KEY: "none",
    ...variables,
  };
}
