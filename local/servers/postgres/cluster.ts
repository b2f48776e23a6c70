import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { chown, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CodedError, codedError } from "../../../runtime/function/coded-error";
import { type Child, startChild } from "../run/child";
import { LOOPBACK, logTail } from "../run/own-server";
import type { RunDirectory } from "../run/run-directory";
import { findPostgresBinaries, type PostgresBinaries, runnableBinaries, type UnixUser } from "./binaries";

/** A data folder of PostgreSQL and what it takes to run a server on it. */
export interface PostgresCluster {
  run: RunDirectory;
  binaries: PostgresBinaries;
  /** Whom its programs run as; undefined: as the runner. */
  user: UnixUser | undefined;
  /** Outside the project: that may lie where no other user reaches, or on a file system without permissions. */
  folder: string;
  data: string;
  log: string;
  password: string;
}

const ADMINISTRATOR = "postgres";
/**
 * Does nothing to initdb, which ends by itself in a moment and, interrupted, would leave shared memory behind for
 * ever.
 */
const LET_FINISH = "SIGCONT";
/** Whom PostgreSQL runs as where the runner is root, in order of preference. A run does not create users. */
const UNPRIVILEGED = ["postgres", "nobody"];

/**
 * Creates a data folder for this run, with a superuser whose password is random.
 *
 * @throws POSTGRES_UNAVAILABLE, POSTGRES_USER_MISSING, POSTGRES_START_FAILED, RUN_CLOSED
 */
export async function createPostgresCluster(run: RunDirectory): Promise<PostgresCluster> {
  const user = unprivilegedUser();
  const folder = join(tmpdir(), `domains-${run.id}-postgres`);
  const [data, log] = [join(folder, "data"), join(run.path, "postgres.log")];
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
  const cluster = { run, binaries, user, folder, data, log, password };
  const args = [
    `--pgdata=${data}`,
    `--username=${ADMINISTRATOR}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // The same on every platform, whatever locales are installed.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    // The data does not outlive the run; only what is committed while it runs must be safe.
    "--no-sync",
    "--no-instructions",
  ];
  const child = await startClusterProgram(cluster, "PostgreSQL (initdb)", "initdb", args, LET_FINISH);
  const exit = await child.wait();
  await rm(passwordFile, { force: true });
  if (exit === "exit code 0") return cluster;
  throw postgresStartFailed(log, `Creating PostgreSQL's data folder "${data}" failed (${exit})`);
}

/** Starts one of PostgreSQL's programs as the user it may run as. */
export function startClusterProgram(
  { run, binaries, user, folder, log }: PostgresCluster,
  name: string,
  program: keyof PostgresBinaries,
  args: string[],
  stopSignal: NodeJS.Signals,
): Promise<Child> {
  const { PATH, SystemRoot, TMPDIR } = process.env;
  // The locale decides the language of messages, some of which are read here.
  const env = { PATH, SystemRoot, TMPDIR, LC_ALL: "C", TZ: "UTC" };
  const identity = { uid: user?.uid, gid: user?.gid };
  return startChild(run, {
    name,
    command: binaries[program],
    args,
    env,
    cwd: folder,
    log,
    stopSignal,
    ...identity,
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

/** PostgreSQL refuses to run as root: whom to run it as instead, undefined where the runner is not root. */
function unprivilegedUser(): UnixUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of UNPRIVILEGED) {
    const [uid, gid] = [idOf("-u", name), idOf("-g", name)];
    if (uid && gid !== undefined) return { name, uid, gid };
  }
  throw codedError(
    "POSTGRES_USER_MISSING",
    `PostgreSQL does not run as root, and this system has neither a user "postgres" nor "nobody" to run it as. ` +
      `Run as an ordinary user, add one (useradd --system postgres), or set DATABASE_URL to a PostgreSQL server of your own`,
  );
}

function idOf(option: string, name: string): number | undefined {
  try {
    const stdio: ["ignore", "pipe", "ignore"] = ["ignore", "pipe", "ignore"];
    return Number(execFileSync("id", [option, name], { encoding: "utf8", stdio }).trim());
  } catch {
    return undefined;
  }
}
