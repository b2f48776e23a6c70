import type { Client } from "pg";

/** Something a writer does; the nth one of a seed is always the same. */
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
  /** Stands in `correlation_id` of the outbox rows that it writes; their `causation_id` is null. */
  transactionId: string;
  /** How it is to end. "refused": it writes no outbox rows, so the guard has to refuse it. */
  how: "committed" | "rolledBack" | "refused";
  /**
   * Changes rows, with their outbox rows unless it is to be refused. It runs between `begin` and the end.
   *
   * @returns how many rows it changed
   */
  change(client: Client): Promise<number>;
}

/** The nth operation of a seed. */
export type Operations = (seed: number, index: number) => Operation;
