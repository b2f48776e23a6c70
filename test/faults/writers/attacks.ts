import { randomUUID } from "node:crypto";
import { type Client, escapeIdentifier } from "pg";
import type { AnyDomain } from "../../../runtime/define/domain";
import type { AnyTable } from "../../../runtime/define/table";
import { columnsOf } from "../../../runtime/postgres/columns";
import { randomStream } from "../plan/random";
import type { Operations, SqlOperation } from "./operation";

/** One of so many operations is an attack. */
const OPERATIONS_PER_ATTACK = 12;
/** Limit for the row that is attacked, counted by its key. */
const ROWS = 40;
const FAR = 1_000;
const SAVEPOINT = "attack";

/** What an attack does in its transaction. */
interface Moves {
  /** The event that would be right after the next change of the row. */
  event: EventRow;
  /** Names of a private field, and of another domain's aggregate. */
  hidden: string;
  foreign: string;
  /** Takes the row to its next version. */
  change(): Promise<unknown>;
  remove(): Promise<unknown>;
  insert(event: EventRow): Promise<unknown>;
  undo(what: () => Promise<unknown>): Promise<void>;
}

/** An outbox row. */
interface EventRow {
  aggregate: string;
  aggregate_id: string;
  aggregate_version: number;
  type: string;
  schema_version: number;
  payload: { change: object; state: Record<string, unknown> | null };
}

const later = (event: EventRow, by: number): EventRow => ({
  ...event,
  aggregate_version: event.aggregate_version + by,
});
const saying = (event: EventRow, state: EventRow["payload"]["state"]): EventRow => ({
  ...event,
  payload: { ...event.payload, state },
});

/** Transactions that the database must refuse, whoever runs them: each makes a change or an event without the other. */
export const ATTACKS: Readonly<Record<string, (moves: Moves) => Promise<unknown>>> = {
  "a change without its event": ({ change }) => change(),
  "an event without its change": ({ event, insert }) => insert(event),
  "an event of a far version": ({ event, insert }) => insert(later(event, FAR)),
  "an event of an aggregate that never was": ({ event, insert }) =>
    insert({ ...event, aggregate_id: randomUUID(), aggregate_version: 1 }),
  "an event whose change is rolled back to a savepoint": async ({ event, change, insert, undo }) => {
    await undo(change);
    await insert(event);
  },
  "a state that contradicts the row": async ({ event, change, insert }) => {
    await change();
    await insert(saying(event, contradicted(event)));
  },
  "a state of a removed row": async ({ event, remove, insert }) => {
    await remove();
    await insert(event);
  },
  "no state of a living row": async ({ event, change, insert }) => {
    await change();
    await insert(saying(event, null));
  },
  "a private field in the state": async ({ event, hidden, change, insert }) => {
    await change();
    await insert(saying(event, { ...event.payload.state, [hidden]: "private" }));
  },
  "an event type that the contract does not have": async ({ event, change, insert }) => {
    await change();
    await insert({ ...event, type: `${event.type}Again` });
  },
  "a domain that does not exist": async ({ event, change, insert }) => {
    await change();
    await insert(event);
    await insert({ ...event, aggregate: event.aggregate.replace(".", "s.") });
  },
  "an aggregate of another domain": async ({ event, foreign, change, insert }) => {
    await change();
    await insert(event);
    await insert({ ...event, aggregate: foreign });
  },
  "the events of two changes in reversed order": async ({ event, change, insert }) => {
    await change();
    await change();
    await insert(later(event, 1));
    await insert(event);
  },
  "one event for two changes": async ({ event, change, insert }) => {
    await change();
    await change();
    await insert(later(event, 1));
  },
};

/** Puts attacks on the modules' tables between operations; the rest is as it was. */
export function withAttacks(operationAt: Operations, domains: readonly AnyDomain[]): Operations {
  const tables = domains
    .filter(({ kind }) => kind === "monolith-module")
    .flatMap(({ name: module, tables: own }) =>
      Object.entries(own).map(([name, definition]) => ({ module, name, definition })),
    );
  if (tables.length === 0) return operationAt;
  const aggregates = domains.flatMap((one) =>
    Object.values(one.tables).map(({ aggregate }) => aggregate.name),
  );
  const kinds = Object.keys(ATTACKS);
  return (seed, index) => {
    const number = Math.floor(index / OPERATIONS_PER_ATTACK);
    if (index % OPERATIONS_PER_ATTACK !== OPERATIONS_PER_ATTACK - 1) return operationAt(seed, index - number);
    const random = randomStream(seed, `attack ${number}`);
    const { module, name, definition } = random.pick(tables);
    return {
      kind: "sql",
      module,
      transactionId: `attack-${seed}-${index}`,
      how: "refused",
      change: attackOn(name, definition, {
        kind: kinds[number % kinds.length] as string,
        foreign: random.pick(aggregates.filter((one) => !one.startsWith(`${module}.`))),
        row: random.between(0, ROWS - 1),
        transactionId: `attack-${seed}-${index}`,
      }),
    };
  };
}

/** Which attack, on which row (by its place among the keys), with which other aggregate. */
interface Attack {
  kind: string;
  foreign: string;
  row: number;
  transactionId: string;
}

/** An attack on a row of a table, which does nothing where there is no row. */
export function attackOn(
  name: string,
  definition: AnyTable,
  { kind, foreign, row, transactionId }: Attack,
): SqlOperation["change"] {
  const { aggregate } = definition;
  const [table, key] = [name, columnsOf(definition).key].map(escapeIdentifier);
  return async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `select ${key}::text as id from ${table} order by ${key} offset $1 % greatest((select count(*) from ${table}), 1) limit 1 for update`,
      [row],
    );
    const [found] = rows;
    if (!found) return 0;
    const change = () =>
      client.query(`update ${table} set version = version + 1 where ${key}::text = $1`, [found.id]);
    const undo: Moves["undo"] = async (what) => {
      await client.query(`savepoint ${SAVEPOINT}`);
      await what();
      await client.query(`rollback to savepoint ${SAVEPOINT}; release savepoint ${SAVEPOINT}`);
    };
    let event: EventRow | undefined;
    await undo(async () => {
      await change();
      event = await rightEvent(client, aggregate.name, found.id, Object.keys(aggregate.events)[0]);
    });
    await ATTACKS[kind]?.({
      event: event as unknown as EventRow,
      hidden: Object.keys(definition.private().shape)[0] ?? "secret",
      foreign,
      change,
      undo,
      remove: () => client.query(`delete from ${table} where ${key}::text = $1`, [found.id]),
      insert: (one) => insertEvent(client, one, transactionId),
    });
    return 1;
  };
}

async function rightEvent(
  client: Client,
  aggregate: string,
  id: string,
  type: string | undefined,
): Promise<EventRow | undefined> {
  const raised = await client.query<{ id: string }>("select raise_event($1, $2, $3) as id", [
    aggregate,
    id,
    type,
  ]);
  const { rows } = await client.query<EventRow>("select * from outbox where id = $1", [raised.rows[0]?.id]);
  return rows[0];
}

async function insertEvent(client: Client, event: EventRow, correlationId: string): Promise<unknown> {
  return client.query(
    `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[randomUUID(), event.aggregate, event.aggregate_id, event.aggregate_version],
      ...[event.type, event.schema_version, JSON.stringify(event.payload), correlationId],
    ],
  );
}

/** The state with another value of its last text or number, which is not the key. */
function contradicted({ payload: { state }, aggregate_id }: EventRow): Record<string, unknown> {
  const fields = Object.entries(state ?? {});
  const [field, value] =
    fields.findLast(
      ([, one]) => (typeof one === "string" && one !== aggregate_id) || typeof one === "number",
    ) ?? [];
  return { ...state, [String(field)]: typeof value === "number" ? value + 1 : `${String(value)} or not` };
}
