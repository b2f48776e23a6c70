import { existsSync, readdirSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type CodedError, codedError, errorCode } from "../../runtime/function/coded-error";

const MEGABYTE = 1024 * 1024;
/** What a run of the sample writes to its folder: measured 57 MB. A longer run writes more. */
const RUN_BYTES = 80 * MEGABYTE;
/** The emulator, Lambda packages and compiled code, once: measured 90 MB. */
const CACHE_BYTES = 100 * MEGABYTE;
/** PostgreSQL's data in the temporary folder: measured 42 MB. */
const DATABASE_BYTES = 60 * MEGABYTE;
/** With less than this, whatever failed has failed for want of space. */
const NOTHING_LEFT_BYTES = MEGABYTE;

const FULL = ["ENOSPC", "EDQUOT"];
const NOT_WRITABLE = ["EROFS", "EACCES", "EPERM"];
/** Calls that write; reading and starting a program may be refused for other reasons. */
const WRITES = [
  "mkdir",
  "mkdtemp",
  "write",
  "rename",
  "copyfile",
  "unlink",
  "rm",
  "chown",
  "ftruncate",
  "symlink",
];
/** What servers write into their logs. */
const FULL_IN_LOG = /No space left on device|Disk quota exceeded/i;
const READ_ONLY_IN_LOG = /Read-only file system/i;

/** The folders of a project's runs: its own, and the temporary one, where PostgreSQL's data is. */
export function foldersOfRuns(projectRoot: string): string[] {
  return [join(projectRoot, ".domains"), tmpdir()];
}

/**
 * Checks that the disks have room for a run, before it begins. A quota shows only when it is met; see
 * `diskFailure`.
 *
 * @throws DISK_FULL
 */
export function checkDisk(projectRoot: string): void {
  const [own = "", temporary = ""] = foldersOfRuns(projectRoot);
  const isComplete = Boolean(process.env["AWS_ENDPOINT_URL"]) || isEmulatorIn(join(own, "cache"));
  checkFolder(own, RUN_BYTES + (isComplete ? 0 : CACHE_BYTES));
  if (!process.env["DATABASE_URL"]) checkFolder(temporary, DATABASE_BYTES);
}

function isEmulatorIn(cache: string): boolean {
  return existsSync(cache) && readdirSync(cache).some((name) => /^ministack-.*-venv$/.test(name));
}

function checkFolder(folder: string, needed: number): void {
  const free = freeBytes(folder);
  if (free === undefined || free >= needed) return;
  throw diskFull(`"${folder}" has ${megabytes(free)} left, and a run needs about ${megabytes(needed)}`);
}

/**
 * The error of a run that failed because of a disk; undefined if it failed for another reason.
 *
 * @param error whatever was thrown; its causes count, and what a server wrote into its log
 * @param folders where the run writes: if one of them has no room left, that is the reason. @default not looked at
 */
export function diskFailure(error: unknown, folders: readonly string[] = []): CodedError | undefined {
  const chain = causesOf(error);
  const known = chain.find((one) => ["DISK_FULL", "DISK_NOT_WRITABLE"].includes(errorCode(one) ?? ""));
  if (known) return known as CodedError;
  const texts = chain.map((one) => (one as Error).message ?? "").join("\n");
  const full = chain.find((one) => FULL.includes(errorCode(one) ?? ""));
  if (full) return diskFull(`Writing ${placeOf(full)} failed (${errorCode(full)})`, error);
  if (FULL_IN_LOG.test(texts)) return diskFull("A server of the run could not write", error);
  const exhausted = folders.find((folder) => (freeBytes(folder) ?? Infinity) < NOTHING_LEFT_BYTES);
  if (exhausted) return diskFull(`"${exhausted}" has no room left`, error);
  const refused = chain.find(isRefusedWrite);
  if (refused)
    return notWritable(`Writing ${placeOf(refused)} is not allowed (${errorCode(refused)})`, error);
  return READ_ONLY_IN_LOG.test(texts) ? notWritable("A server of the run could not write", error) : undefined;
}

function isRefusedWrite(error: unknown): boolean {
  const { syscall, path } = error as { syscall?: string; path?: string };
  if (!NOT_WRITABLE.includes(errorCode(error) ?? "") || path === undefined) return false;
  return errorCode(error) === "EROFS" || WRITES.includes(syscall ?? "") || syscall === "open";
}

function placeOf(error: unknown): string {
  const { path } = error as { path?: unknown };
  return typeof path === "string" ? `"${path}"` : "a file of the run";
}

function causesOf(error: unknown): object[] {
  const chain: object[] = [];
  for (let one = error; typeof one === "object" && one !== null && !chain.includes(one);) {
    chain.push(one);
    one = (one as Error).cause;
  }
  return chain;
}

/** What an ordinary user may still write to the file system of a folder, which need not exist yet. */
function freeBytes(folder: string): number | undefined {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    const { bavail, bsize, files, ffree } = statfsSync(existing);
    // Every file needs an inode; some file systems do not count them.
    return files > 0 && ffree === 0 ? 0 : bavail * bsize;
  } catch {
    return undefined;
  }
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MEGABYTE)} MB`;
}

function diskFull(what: string, cause?: unknown): CodedError {
  return codedError(
    "DISK_FULL",
    `${what}. Free space (everything in .domains/cache may be deleted), raise the quota, move the project to another disk, ` +
      "or set TMPDIR to a folder on one: PostgreSQL's data is there",
    { cause },
  );
}

function notWritable(what: string, cause?: unknown): CodedError {
  return codedError(
    "DISK_NOT_WRITABLE",
    `${what}. Make the project's folder .domains writable for this user, or copy the project elsewhere; set TMPDIR to a ` +
      "folder that is writable if it is the temporary one",
    { cause },
  );
}
