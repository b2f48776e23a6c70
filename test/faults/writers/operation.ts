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
  /** The module whose login it uses. */
  module: string;
  /** The `correlation_id` of the outbox rows that it writes; their `causation_id` is null. */
  transactionId: string;
  /** The intended end. "refused": it writes no outbox rows, so the guard must refuse it. */
  how: "committed" | "rolledBack" | "refused";
  /**
   * Changes rows, with their outbox rows unless the guard is to refuse it. Runs between `begin` and the end.
   *
   * @returns the number of changed rows
   */
  change(client: Client): Promise<number>;
}

/** The nth operation of a seed. */
export type Operations = (seed: number, index: number) => Operation;
