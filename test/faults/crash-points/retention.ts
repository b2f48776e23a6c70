import { InvokeCommand } from "@aws-sdk/client-lambda";
import { Client } from "pg";
import type { LocalSystem } from "../../../local/system/system";
import { codedError } from "../../../runtime/function/coded-error";

const FUNCTION = "monolith-retention";
/** A batch has 500 rows, so a run has two batches. */
const OLD_RECORDS = 501;
const OLD_DAYS = 365;
const MAX_RUNS = 8;

/**
 * Inserts enough old records into the monolith's inbox for two batches of retention, and runs retention until
 * a run succeeds, as its schedule does.
 *
 * @param begins called before each run, with the function's logical name
 * @throws OLD_ROWS_LEFT if a successful run left old records, or no run succeeded
 */
export async function removeOldRecords(system: LocalSystem, begins: (step: string) => void): Promise<void> {
  const { database, clients, topology } = system;
  const [FunctionName] = [...topology.functions].find(([, name]) => name === FUNCTION) ?? [FUNCTION];
  await query(
    database.adminUrl,
    `insert into inbox (consumer, message_id, processed_at)
     select 'retired.commands', gen_random_uuid(), now() - make_interval(days => ${OLD_DAYS})
     from generate_series(1, ${OLD_RECORDS})`,
  );
  for (let run = 1; run <= MAX_RUNS; run += 1) {
    begins(FUNCTION);
    const { FunctionError } = await clients.lambda.send(new InvokeCommand({ FunctionName }));
    if (FunctionError) continue;
    const left = await query(
      database.adminUrl,
      `select from inbox where processed_at <= now() - make_interval(days => ${OLD_DAYS})`,
    );
    if (left === 0) return;
    throw codedError("OLD_ROWS_LEFT", `Retention succeeded but left ${left} old records in the inbox.`);
  }
  throw codedError("OLD_ROWS_LEFT", `Retention failed ${MAX_RUNS} times in a row. Check its log.`);
}

/**
 * @returns the number of rows that the statement changed or found
 */
async function query(url: string, text: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
