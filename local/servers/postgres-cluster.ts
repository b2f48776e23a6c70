import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { chown, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CodedError } from "../../runtime/function/coded-error";
import { codedError } from "../../runtime/function/coded-error";
import type { Child } from "./child";
import { startChild } from "./child";
import { LOOPBACK } from "./free-port";
import { logTail } from "./log-tail";
import type { PostgresBinaries } from "./postgres-binaries";
import { findPostgresBinaries, runnableBinaries } from "./postgres-binaries";
import type { RunDirectory } from "./run-directory";
import type { UnprivilegedUser } from "./unprivileged-user";
import { unprivilegedUser } from "./unprivileged-user";

/** A data folder of PostgreSQL and what it takes to run a server on it. */
export interface PostgresCluster {
  run: RunDirectory;
  binaries: PostgresBinaries;
  user: UnprivilegedUser | undefined;
  /** Outside the project: it may lie where no other user reaches, or on a file system that knows no permissions. */
  folder: string;
  data: string;
  log: string;
  password: string;
}

const ADMINISTRATOR = "postgres";
/** Does nothing to initdb, which ends by itself in a moment and, interrupted, would leave shared memory behind for ever. */
const LET_FINISH = "SIGCONT";

/**
 * Creates a data folder for this run, with a superuser whose password is random.
 *
 * @throws POSTGRES_UNAVAILABLE, POSTGRES_USER_MISSING, POSTGRES_START_FAILED, RUN_CLOSED
 */
export async function createPostgresCluster(run: RunDirectory): Promise<PostgresCluster> {
  const user = unprivilegedUser();
  const folder = join(tmpdir(), `domains-${run.id}-postgres`);
  const log = join(run.path, "postgres.log");
  const password = randomBytes(18).toString("base64url");
  const found = await findPostgresBinaries();
  run.closing.throwIfAborted();
  run.update(({ dataFolders }) => ({ dataFolders: [...dataFolders, folder] }));
  // Fails if the folder exists, so nobody can have prepared it in the shared temporary folder.
  mkdirSync(folder, { mode: 0o700 });
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user) for (const path of [passwordFile, folder]) await chown(path, user.uid, user.gid);
  const binaries = runnableBinaries(found, folder, user);
  const cluster = { run, binaries, user, folder, data: join(folder, "data"), log, password };
  const child = await startClusterProgram(
    cluster,
    "PostgreSQL (initdb)",
    binaries.initdb,
    [
      `--pgdata=${cluster.data}`,
      `--username=${ADMINISTRATOR}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // The same on every platform, whatever locales are installed.
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--locale=C",
      // The data does not outlive the run; only what is committed while it runs has to be safe.
      "--no-sync",
      "--no-instructions",
    ],
    LET_FINISH,
  );
  const exit = await child.wait();
  await rm(passwordFile, { force: true });
  if (exit !== "exit code 0")
    throw postgresStartFailed(log, `Creating PostgreSQL's data folder "${cluster.data}" failed (${exit})`);
  return cluster;
}

/** Starts one of PostgreSQL's programs as the user it may run as. */
export function startClusterProgram(
  cluster: PostgresCluster,
  name: string,
  command: string,
  args: string[],
  stopSignal: NodeJS.Signals,
): Promise<Child> {
  const { PATH, SystemRoot, TMPDIR } = process.env;
  // The locale decides the language of messages, some of which are read here.
  const env = { PATH, SystemRoot, TMPDIR, LC_ALL: "C", TZ: "UTC" };
  const { run, user, folder, log } = cluster;
  return startChild(run, {
    name,
    command,
    args,
    env,
    cwd: folder,
    log,
    stopSignal,
    uid: user?.uid,
    gid: user?.gid,
  });
}

/** The superuser's URL. */
export function clusterUrl({ password }: PostgresCluster, port: number, database: string): string {
  return `postgresql://${ADMINISTRATOR}:${password}@${LOOPBACK}:${port}/${encodeURIComponent(database)}`;
}

/** The error POSTGRES_START_FAILED, with the end of the log. */
export function postgresStartFailed(log: string, what: string, cause?: unknown): CodedError {
  return codedError(
    "POSTGRES_START_FAILED",
    `${what}. Set DATABASE_URL to use a PostgreSQL server of your own, or remove the cause. The end of its log:${logTail(log)}`,
    { cause },
  );
}
