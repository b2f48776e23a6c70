import { randomUUID } from "node:crypto";
import type { Guarantee } from "../../../dist/test/verdict/guarantees.js";
import { judge } from "../../../dist/test/verdict/judge.js";
import type { AuditedChange, OutboxEntry, Row, Snapshot } from "../../../dist/test/verdict/snapshot.js";
import type {
  JournaledCommand,
  JournaledTransaction,
  ReceivedAnswer,
  WritersJournal,
} from "../../../dist/test/verdict/writers-journal.js";
import type { EffectJudge } from "../../../dist/test/verdict/facts.js";
import { PROJECTIONS, shopLandscape, stateOf } from "./landscape.js";

/** A change to commit with its event. */
export interface Commit {
  aggregate: string;
  id: string;
  /** The columns to change; null deletes the row. */
  set: Row | null;
  /** The event type. */
  type: string;
  /** The event's `change`. @default {} */
  change?: Row;
}

/** A simulated run. Each action adds to the snapshot what a correct program would leave in the stores. */
export interface World {
  snapshot: Snapshot;
  journal: WritersJournal;
  /** Commits a change with the given cause, without an answer to a caller. */
  commit(commit: Commit, cause: { causationId?: string; correlationId?: string }): OutboxEntry;
  /** A command with its answers; a "done" answer reports the changes. */
  command(
    name: `${string}.${string}`,
    commits: Commit[],
    answers?: ReceivedAnswer["outcome"][],
  ): JournaledCommand;
  /** A transaction of raw SQL. */
  sql(commits: Commit[], expected?: JournaledTransaction["expected"]): OutboxEntry[];
  /** A reaction to an event: its inbox record and its changes. */
  react(consumer: string, event: OutboxEntry, commits?: Commit[]): OutboxEntry[];
  /** The newest event of a type, of any or of one aggregate. */
  event(type: string, aggregateId?: string): OutboxEntry;
  /** The newest change of an aggregate. */
  newest(id: string): AuditedChange;
  /** The row of an aggregate's table. */
  entity(id: string): Snapshot["entities"][number];
  projected(table: string, id: string): Snapshot["projections"][string][number];
  /** The envelope of an event on the bus. */
  envelope(event: OutboxEntry): Row;
}

/** A world in which nothing has happened. */
export function emptyWorld(): World {
  const snapshot: Snapshot = {
    changes: [],
    entities: [],
    outbox: [],
    inbox: [],
    projections: Object.fromEntries(PROJECTIONS.map(({ table }) => [table, []])),
    bus: [],
    deadLetters: [],
    quarantined: [],
    log: [],
  };
  const journal: WritersJournal = { requests: [], poison: [], privateMarks: {} };
  let moment = Date.UTC(2030, 0, 1);
  const now = () => new Date((moment += 1)).toISOString();
  const newest = (id: string) => found(snapshot.changes.findLast((change) => change.id === id));

  const commit: World["commit"] = ({ aggregate, id, set, type, change = {} }, cause) => {
    const before = snapshot.changes.findLast((one) => one.aggregate === aggregate && one.id === id);
    const version = (before?.newVersion ?? 0) + 1;
    const row = set && { ...before?.row, ...set, version };
    // PostgreSQL records the transaction, but no version of an earlier life.
    const isPostgres = /^(customers|catalog)/.test(aggregate);
    const transaction = isPostgres ? { transaction: String(1000 + version) } : {};
    snapshot.changes.push({
      aggregate,
      id,
      operation: row ? (before?.row ? "update" : "insert") : "delete",
      oldVersion: before && (before.row || !isPostgres) ? before.newVersion : null,
      newVersion: version,
      row,
      ...transaction,
    });
    snapshot.entities = snapshot.entities.filter((one) => one.id !== id || one.aggregate !== aggregate);
    snapshot.entities.push({ aggregate, id, version, row });
    const state = row && stateOf(aggregate, row);
    const event: OutboxEntry = {
      id: randomUUID(),
      outbox: isPostgres ? "outbox" : `${aggregate.split(".")[0]}-outbox`,
      aggregate,
      aggregateId: id,
      version,
      type,
      data: { change, state },
      correlationId: cause.correlationId ?? cause.causationId ?? "",
      causationId: cause.causationId,
      occurredAt: now(),
      ...transaction,
    };
    snapshot.outbox.push(event);
    snapshot.bus.push(envelopeOf(event));
    for (const { table, of, fields } of PROJECTIONS) {
      if (of !== aggregate) continue;
      const others = (snapshot.projections[table] ?? []).filter(({ aggregateId }) => aggregateId !== id);
      const copied = state && Object.fromEntries(fields.map((field) => [field, state[field]]));
      const projected = { aggregateId: id, version, ...(copied ? { fields: copied } : {}) };
      snapshot.projections[table] = [...others, projected];
    }
    return event;
  };
  const record = (consumer: string, messageId: string) =>
    snapshot.inbox.push({ consumer, messageId, processedAt: now() });

  return {
    snapshot,
    journal,
    commit,
    command(name, commits, answers = ["done"]) {
      const [domain = "", command = ""] = name.split(".");
      const requestId = `request-${randomUUID()}`;
      const changes = commits
        .map((one) => commit(one, { causationId: requestId }))
        .map(({ aggregate, aggregateId, version, type, id: eventId }) => ({
          ...{ aggregate, id: aggregateId, version, event: type, eventId },
        }));
      const given = answers.map((outcome) => ({ outcome, ...(outcome === "done" ? { changes } : {}) }));
      if (commits.length > 0 || answers.includes("done")) record(`${domain}.commands`, requestId);
      const request: JournaledCommand = { kind: "command", requestId, domain, command, answers: given };
      journal.requests.push(request);
      return request;
    },
    sql(commits, expected = "committed") {
      const transactionId = `sql-${randomUUID()}`;
      journal.requests.push({ kind: "sql", transactionId, expected });
      return commits.map((one) => commit(one, { correlationId: transactionId }));
    },
    react(consumer, event, commits = []) {
      const cause = { causationId: event.id, correlationId: event.correlationId };
      const effects = commits.map((one) => commit(one, cause));
      record(consumer, event.id);
      return effects;
    },
    event: (type, aggregateId) =>
      found(
        snapshot.outbox.findLast(
          (event) => event.type === type && (aggregateId === undefined || event.aggregateId === aggregateId),
        ),
      ),
    newest,
    entity: (id) => found(snapshot.entities.find((entity) => entity.id === id)),
    projected: (table, id) =>
      found(snapshot.projections[table]?.find(({ aggregateId }) => aggregateId === id)),
    envelope: (event) => found((snapshot.bus as Row[]).find(({ id }) => id === event.id)),
  };
}

/** The guarantees that a world breaks, each once. */
export function broken(
  { snapshot, journal }: World,
  effects: Readonly<Record<string, EffectJudge>> = {},
): Guarantee[] {
  const findings = judge(snapshot, journal, shopLandscape(effects));
  return [...new Set(findings.map(({ guarantee }) => guarantee))];
}

function envelopeOf(event: OutboxEntry): Row {
  return structuredClone({
    specversion: "1.0",
    id: event.id,
    source: event.aggregate.split(".")[0],
    type: event.type,
    subject: event.aggregateId,
    sequence: String(event.version),
    correlationid: event.correlationId,
    ...(event.causationId === undefined ? {} : { causationid: event.causationId }),
    data: event.data,
  });
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The world does not have it.");
  return value;
}
