import { v7 as uuid } from "uuid";
import { customers as registered } from "../domains/customers/tables";
import { withSchemasMadeOnce } from "../runtime/store/made-once";
import { commitToPostgres } from "../runtime/postgres/commit";
import type { StagedPostgresChange } from "../runtime/store/store";
import { newTraceparent } from "../runtime/envelope/trace-context";
import type { Variant } from "./interleave";
import type { Connection } from "./write-database";

/** As a function's store uses it. */
const customers = withSchemasMadeOnce(registered);

/** A row of `customers` whose public part makes an event of about 500 bytes. */
export function newCustomer(): Record<string, unknown> {
  const id = uuid();
  return {
    customer_id: id,
    name: `Bench ${id} ${"n".repeat(150)}`,
    email: `${id}@${"bench".repeat(10)}.example.org`,
    city: "c".repeat(100),
    credit_note: null,
  };
}

/** Writes a row and its event as a command does: `commitToPostgres` with a staged insert. */
export function entityAndEvent(name: string, { db }: Connection, table: string): Variant {
  return {
    name,
    async run() {
      const values = newCustomer();
      const staged: StagedPostgresChange = {
        kind: "postgres-change",
        table,
        definition: customers,
        type: "CustomerRegistered",
        change: {},
        // As PostgresHandle types it; a staged change holds it untyped.
        describe: (({ insert }: { insert(row: object): unknown }) => insert(values)) as never,
      };
      const requestId = uuid();
      const context = { correlationId: requestId, causationId: requestId, traceparent: newTraceparent() };
      const { outcome } = await commitToPostgres(db, [staged], context);
      if (outcome !== "committed") throw new Error(`The write was not committed but a ${outcome}.`);
    },
  };
}

/** Writes the same row alone, with Kysely. */
export function rowAlone(name: string, { db }: Connection, table: string): Variant {
  return {
    name,
    async run() {
      await db
        .insertInto(table)
        .values({ ...newCustomer(), version: 1 })
        .execute();
    },
  };
}

/** The shortest round trip to the server. */
export function roundTrip(name: string, { pool }: Connection): Variant {
  return {
    name,
    async run() {
      await pool.query("select 1");
    },
  };
}
