import { InvokeCommand } from "@aws-sdk/client-lambda";
import { Client } from "pg";
import { codedError } from "../../../runtime/function/coded-error";
import type { LocalSystem } from "../../../local/system/system";

const FUNCTION = "monolith-retention";
/** A batch has 500 rows, so that a run has two. */
const OLD_RECORDS = 501;
const OLD_DAYS = 365;
const MAX_RUNS = 8;

/**
 * Puts so many old records into the monolith's inbox that it takes two batches to remove them, and runs retention until a run ends well, as
 * its schedule does.
 *
 * @param begins called before each run, with the function's logical name
 * @throws OLD_ROWS_LEFT if records are left then, or no run ended well
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
    throw codedError("OLD_ROWS_LEFT", `Retention ended well and left ${left} old records in the inbox.`);
  }
  throw codedError("OLD_ROWS_LEFT", `Retention failed ${MAX_RUNS} times in a row. Look at its log.`);
}

/** @returns how many rows the statement has changed or found */
async function query(url: string, text: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
