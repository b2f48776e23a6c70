import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import type { CommandAnswer, CommandRequest } from "../../../runtime/command/handler";
import { errorCode } from "../../../runtime/function/coded-error";
import type { JournaledCommand, ReceivedAnswer, JournaledTransaction } from "../../verdict/writers-journal";
import type { FaultSchedule } from "../plan/fault-schedule";
import type { CommandOperation, SqlOperation } from "./operation";

/** Sends a request to a domain's command function. */
export type SendRequest = (domain: string, request: CommandRequest) => Promise<CommandAnswer>;

/** Attempts of a caller that gets no answer. */
const MAX_ATTEMPTS = 8;
const PAUSE_MILLISECONDS = 150;

/**
 * Sends a command as a careful caller does: with an id, and again with the same id while no answer arrives.
 */
export async function runCommand(
  operation: CommandOperation,
  send: SendRequest,
  schedule: FaultSchedule,
): Promise<JournaledCommand> {
  const { requestId, domain, command, input } = operation;
  const entry: JournaledCommand = { kind: "command", requestId, domain, command, answers: [] };
  const request = { id: requestId, command, input };
  const fault = schedule.draw(`caller of ${domain}`, ["request repeated", "request answer lost"]);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const answer = await answerOf(() => send(domain, request));
    const isUnseen = fault === "request answer lost" && attempt === 1;
    entry.answers.push(isUnseen ? { outcome: "lost" } : answer);
    if (isUnseen || isOpen(answer)) {
      await delay(PAUSE_MILLISECONDS * attempt);
      continue;
    }
    if (fault !== "request repeated" || attempt > 1) break;
  }
  return entry;
}

/** A command that is sent again in quiet ends with an answer sooner: only its own reactions can race it. */
const MAX_QUIET_ATTEMPTS = 3;

/**
 * Sends a command again that has no answer yet, or lost its race, while nothing else is written and nothing fails.
 *
 * @returns whether it was sent
 */
export async function askAgain(
  { requestId: id, command, input, domain }: CommandOperation,
  entry: JournaledCommand,
  send: SendRequest,
): Promise<boolean> {
  const last = entry.answers.at(-1) ?? { outcome: "lost" };
  const { askedInQuiet = 0 } = entry;
  if (askedInQuiet >= MAX_QUIET_ATTEMPTS || !(isOpen(last) || last.outcome === "conflict")) return false;
  entry.answers.push(await answerOf(() => send(domain, { id, command, input })));
  entry.askedInQuiet = askedInQuiet + 1;
  return true;
}

/**
 * Sends a command once more after the faults have stopped, while its function still has the connections that they left.
 * A function that works answers.
 */
export async function probe(
  { requestId: id, command, input, domain }: CommandOperation,
  entry: JournaledCommand,
  send: SendRequest,
): Promise<void> {
  const answer = await answerOf(() => send(domain, { id, command, input }));
  entry.answers.push(answer);
  if (isOpen(answer)) entry.askedInQuiet = MAX_QUIET_ATTEMPTS;
}

/** Whether the caller does not know yet whether the command took effect. */
function isOpen({ outcome }: ReceivedAnswer): boolean {
  return outcome === "lost" || outcome === "unknown";
}

/**
 * A function that was killed, threw or was not reached gives no answer: the caller cannot tell these apart.
 */
async function answerOf(send: () => Promise<CommandAnswer>): Promise<ReceivedAnswer> {
  try {
    return await send();
  } catch {
    return { outcome: "lost" };
  }
}

/**
 * SQLSTATEs of a transaction that the server rolled back: a deadlock, a lost race, a unique violation, the guard, the
 * check of events.
 */
const ROLLED_BACK = ["40P01", "40001", "23505", "DC001", "DC004"];
/** SQLSTATEs of a mistake in the statement itself, which proves nothing; 42501 is a right that is missing. */
const MISTAKE = /^42(?!501)/;

/** No fault causes it: the module's login lacks a right. */
const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * Runs a transaction of raw SQL, as legacy code beside the runtime may, and notes what is known about its
 * end.
 *
 * @throws what a mistake in its statements throws
 */
export async function runTransaction(
  operation: SqlOperation,
  connectionString: string,
): Promise<JournaledTransaction> {
  const { transactionId, how } = operation;
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
  // The running statement reports a broken connection.
  client.on("error", () => undefined);
  let isEnding = false;
  try {
    await client.connect();
    await client.query("begin");
    const changed = await operation.change(client);
    isEnding = true;
    await client.query(how === "rolledBack" ? "rollback" : "commit");
    // A transaction that changes nothing gives the guard nothing to refuse, and leaves no trace either way.
    if (changed === 0) return { kind: "sql", transactionId, expected: "rolledBack" };
    return { kind: "sql", transactionId, expected: how };
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (error instanceof TypeError || MISTAKE.test(code)) throw error;
    if (how !== "refused" && code === INSUFFICIENT_PRIVILEGE) throw error;
    const isRolledBack = !isEnding || how !== "committed" || ROLLED_BACK.includes(errorCode(error) ?? "");
    if (how === "refused") return { kind: "sql", transactionId, expected: "refused" };
    return { kind: "sql", transactionId, expected: isRolledBack ? "rolledBack" : "unknown" };
  } finally {
    await client.end().catch(() => undefined);
  }
}
