import { type Facts, grouped, nameOfEvent } from "../facts";
import { type Finding, finder } from "../finding";
import type { OutboxEntry } from "../snapshot";
import type { SqlRequest } from "../writers-journal";

const finding = finder("COMMANDS_TOLD_TRULY");

/** Compares the transactions of raw SQL with the outbox, and looks for events that nobody asked for. */
export function judgeRequests(facts: Facts): Finding[] {
  const { journal, snapshot, eventsById } = facts;
  // What a reaction raises bears the correlation of its cause.
  const firstHand = snapshot.outbox.filter(({ causationId }) => !eventsById.has(causationId ?? ""));
  const byTransaction = grouped(firstHand, ({ causationId, correlationId }) =>
    causationId === undefined ? correlationId : undefined,
  );
  const sql = journal.requests.filter((request) => request.kind === "sql");
  const transactions = new Set(sql.map(({ transactionId }) => transactionId));
  const commands = new Set(
    journal.requests.map((request) => (request.kind === "command" ? request.requestId : undefined)),
  );
  const isAskedFor = ({ causationId, correlationId }: OutboxEntry) =>
    causationId === undefined ? transactions.has(correlationId) : commands.has(causationId);
  return [
    ...sql.flatMap((request) => judgeSql(request, byTransaction.get(request.transactionId) ?? [])),
    ...firstHand
      .filter((event) => !isAskedFor(event))
      .map((event) => finding(nameOfEvent(event), "a request or an event that caused it", "none")),
  ];
}

function judgeSql({ transactionId, expected }: SqlRequest, raised: readonly OutboxEntry[]): Finding[] {
  const where = `SQL transaction "${transactionId}"`;
  if (expected === "committed" && raised.length === 0) return [finding(where, "its events", "none")];
  if ((expected === "rolledBack" || expected === "refused") && raised.length > 0)
    return [finding(where, `no events, since it was ${expected}`, raised.map(nameOfEvent))];
  return [];
}
