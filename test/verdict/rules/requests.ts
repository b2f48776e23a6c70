import { isDeepStrictEqual } from "node:util";
import { type Facts, grouped, keyOf, nameOfEvent } from "../facts";
import { type Finding, finder } from "../finding";
import type { OutboxEntry } from "../snapshot";
import type { JournaledCommand, ReportedChange, JournaledTransaction } from "../writers-journal";

const finding = finder("COMMANDS_TOLD_TRULY");
/** Answers that say that nothing was done. */
const NOT_DONE: readonly string[] = ["rejected", "conflict", "invalid"];

/** Answers that tell a caller to send the request again. */
const OPEN: readonly string[] = ["lost", "unknown", "conflict"];

/**
 * Compares the answers to callers with the inboxes, which keep each id that took effect, and with the
 * outboxes; compares transactions of raw SQL with the outbox; and looks for events that no request or event
 * caused.
 */
export function judgeRequests(facts: Facts): Finding[] {
  const { journal, snapshot, eventsById } = facts;
  // What a reaction raises has the correlation id of its cause.
  const firstHand = snapshot.outbox.filter(({ causationId }) => !eventsById.has(causationId ?? ""));
  const byTransaction = grouped(firstHand, ({ causationId, correlationId }) =>
    causationId === undefined ? correlationId : undefined,
  );
  const commands = journal.requests.filter((request) => request.kind === "command");
  const sql = journal.requests.filter((request) => request.kind === "sql");
  const requestIds = new Set(commands.map(({ requestId }) => requestId));
  const transactions = new Set(sql.map(({ transactionId }) => transactionId));
  const isRequested = ({ causationId, correlationId }: OutboxEntry) =>
    causationId === undefined ? transactions.has(correlationId) : requestIds.has(causationId);
  return [
    ...commands.flatMap((request) => judgeCommand(request, facts)),
    ...sql.flatMap((request) => judgeSql(request, byTransaction.get(request.transactionId) ?? [])),
    ...firstHand
      .filter((event) => !isRequested(event))
      .map((event) => finding(nameOfEvent(event), "a request or an event that caused it", "none")),
  ];
}

function judgeCommand(request: JournaledCommand, { inbox, causedBy, landscape }: Facts): Finding[] {
  const { requestId, domain, command, answers, hasNoRecord, askedInQuiet = 0 } = request;
  const where = `${domain}.${command} "${requestId}"`;
  const raised = causedBy.get(requestId) ?? [];
  const records = inbox.get(keyOf(`${domain}.commands`, requestId)) ?? [];
  const done = answers.filter(({ outcome }) => outcome === "done");
  const first = done.filter(({ repeated }) => !repeated);

  const last = answers.at(-1)?.outcome ?? "lost";
  if (askedInQuiet > 0 && OPEN.includes(last))
    return [finding(where, `an answer, sent again ${askedInQuiet} times in quiet`, last)];
  const isClearlyNotDone = answers.length > 0 && answers.every(({ outcome }) => NOT_DONE.includes(outcome));
  if (isClearlyNotDone && (raised.length > 0 || records.length > 0)) {
    const found = raised.length > 0 ? raised.map(nameOfEvent) : "an inbox record";
    return [finding(where, "nothing done, as answered", found)];
  }
  if (first.length > 1)
    return [finding(where, "done once", `${first.length} answers that it was done, none as a repeat`)];
  if (!hasNoRecord && (done.length > 0 || raised.length > 0) && records.length === 0)
    return [finding(where, "a record in the inbox, so that a repeat does nothing", "none")];
  const changed = raised.map(({ aggregate, aggregateId }) => keyOf(aggregate, aggregateId));
  const most = landscape.known.mostEventsPerCommand ?? new Set(changed).size;
  if (done.length === 0 && raised.length > most)
    return [finding(where, `at most ${most} event(s)`, raised.map(nameOfEvent))];
  const afterwards = answers.slice(answers.findIndex(({ outcome }) => outcome === "done"));
  const denial = done.length > 0 && afterwards.find(({ outcome }) => NOT_DONE.includes(outcome));
  if (denial) return [finding(where, "done, as answered before", denial.outcome)];
  return done.flatMap(({ changes = [] }) => compare(where, changes, raised));
}

function compare(
  where: string,
  reported: readonly ReportedChange[],
  raised: readonly OutboxEntry[],
): Finding[] {
  const expected = reported.map(({ aggregate, id, version, event, eventId }) => ({
    ...{ aggregate, id, version, event, eventId },
  }));
  const order = reported.map(({ eventId }) => eventId);
  const inOrder = [...raised].sort((one, other) => order.indexOf(one.id) - order.indexOf(other.id));
  const found = inOrder.map(({ aggregate, aggregateId: id, version, type: event, id: eventId }) => ({
    ...{ aggregate, id, version, event, eventId },
  }));
  return isDeepStrictEqual(found, expected)
    ? []
    : [finding(`${where}, changes as answered`, expected, found)];
}

function judgeSql(
  { transactionId, expected }: JournaledTransaction,
  raised: readonly OutboxEntry[],
): Finding[] {
  const where = `SQL transaction "${transactionId}"`;
  if (expected === "committed" && raised.length === 0) return [finding(where, "its events", "none")];
  if ((expected === "rolledBack" || expected === "refused") && raised.length > 0)
    return [finding(where, `no events, since it was ${expected}`, raised.map(nameOfEvent))];
  return [];
}
