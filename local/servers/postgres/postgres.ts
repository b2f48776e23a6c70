import type { CodedError } from "../../../runtime/function/coded-error";
import type { Report } from "../report";
import type { RunDirectory } from "../run/run-directory";

/** A PostgreSQL server with logical decoding, for the monolith's database of one run. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** E.g. "17.10". */
  readonly version: string;
  /** Whether it is the user's server (`DATABASE_URL`), which is neither started nor stopped. */
  readonly external: boolean;
  /** Process id of a server of the run's own. */
  readonly pid: number | undefined;
  /** A superuser's URL (on the user's server: the user's own). @default the server's maintenance database */
  adminUrl(database?: string): string;
  /**
   * Creates an empty database and returns its real name: on the user's server that is `<name>_<run id>`, since
   * other runs use the same server. It is dropped on stop, with its replication slots.
   */
  createDatabase(name: string): Promise<string>;
  /**
   * Ends a server of the run's own and starts it again on the same port, to test how clients cope with it: in
   * order, or with kill -9 of all its processes, after which it recovers from its log.
   *
   * @default "in order"
   */
  restart(how?: "in order" | "kill"): Promise<void>;
  /**
   * Stops the server and removes its data; on the user's server: drops the run's databases. Safe to call twice.
   */
  stop(): Promise<void>;
  /** Resolves with POSTGRES_DIED if the server ends though nobody stopped it; otherwise stays pending. */
  readonly died: Promise<CodedError>;
}

/** How to start the server. */
export interface PostgresOptions {
  run: RunDirectory;
  report: Report;
}
