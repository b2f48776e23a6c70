import { isDeepStrictEqual } from "node:util";
import { type Facts, keyOf, nameOfEvent } from "../facts";
import { type Finding, finder } from "../finding";
import type { OutboxEntry } from "../snapshot";
import type { CommandRequest, ToldChange } from "../writers-journal";

const finding = finder("COMMANDS_TOLD_TRULY");
/** Answers that say that nothing was done. */
const NOT_DONE: readonly string[] = ["rejected", "conflict", "invalid"];

/** Compares what callers were told with the inboxes, which keep each id that took effect, and with the outboxes. */
export function judgeCommands(facts: Facts): Finding[] {
  const requests = facts.journal.requests.filter((request) => request.kind === "command");
  return requests.flatMap((request) => judgeCommand(request, facts));
}

function judgeCommand(request: CommandRequest, { inbox, causedBy, landscape }: Facts): Finding[] {
  const { requestId, domain, command, answers, hasNoRecord } = request;
  const where = `${domain}.${command} "${requestId}"`;
  const raised = causedBy.get(requestId) ?? [];
  const records = inbox.get(keyOf(`${domain}.commands`, requestId)) ?? [];
  const done = answers.filter(({ outcome }) => outcome === "done");
  const first = done.filter(({ repeated }) => !repeated);

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

function compare(where: string, told: readonly ToldChange[], raised: readonly OutboxEntry[]): Finding[] {
  const expected = told.map(({ aggregate, id, version, event, eventId }) => ({
    ...{ aggregate, id, version, event, eventId },
  }));
  const order = told.map(({ eventId }) => eventId);
  const inOrder = [...raised].sort((one, other) => order.indexOf(one.id) - order.indexOf(other.id));
  const found = inOrder.map(({ aggregate, aggregateId: id, version, type: event, id: eventId }) => ({
    ...{ aggregate, id, version, event, eventId },
  }));
  return isDeepStrictEqual(found, expected) ? [] : [finding(`${where}, changes as told`, expected, found)];
}
