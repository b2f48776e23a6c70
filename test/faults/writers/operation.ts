import type { Client } from "pg";

/** An operation of a writer. The nth operation of a seed is always the same. */
export type Operation = CommandOperation | SqlOperation;

/** A command, sent through its domain's function. */
export interface CommandOperation {
  kind: "command";
  requestId: string;
  domain: string;
  command: string;
  input: unknown;
}

/** A transaction of raw SQL on the monolith's database, as legacy code beside the runtime may run it. */
export interface SqlOperation {
  kind: "sql";
  /** The module whose tables it changes, and whose login it uses. */
  module: string;
  /** The `correlation_id` of the outbox rows that it writes; their `causation_id` is null. */
  transactionId: string;
  /** The intended end. "refused": an attack (attacks.ts), which the database must refuse. */
  how: "committed" | "rolledBack" | "refused";
  /**
   * Changes rows and writes their outbox rows, unless it is an attack. Runs between `begin` and the end.
   *
   * @returns the number of changed rows
   */
  change(client: Client): Promise<number>;
}

/** The nth operation of a seed. */
export type Operations = (seed: number, index: number) => Operation;
