import { tmpdir } from "node:os";
import { afterEach, describe, expect, test, vi } from "vitest";
import { checkDisk, diskFailure } from "../../../dist/local/servers/disk.js";

const systemError = (code: string, more: object = {}) =>
  Object.assign(new Error(`${code}: something, write`), { code, syscall: "write", ...more });
const coded = (code: string, message: string, cause?: unknown) =>
  Object.assign(new Error(message, { cause }), { code });

describe("a run that failed because of a disk says so, with what to do:", () => {
  test.each<[string, unknown, string, string]>([
    [
      "a full disk",
      systemError("ENOSPC"),
      "DISK_FULL",
      "Writing a file of the run failed (ENOSPC). Free space",
    ],
    [
      "a quota",
      systemError("EDQUOT", { path: "/home/a/f" }),
      "DISK_FULL",
      'Writing "/home/a/f" failed (EDQUOT)',
    ],
    [
      "a full disk behind another error",
      coded("DATABASE_FAILED", "It failed", coded("X", "x", systemError("ENOSPC"))),
      "DISK_FULL",
      "(ENOSPC)",
    ],
    [
      "a server's log",
      coded(
        "POSTGRES_DIED",
        'PostgreSQL ended. PANIC: could not write to file "pg_wal/1": No space left on device',
      ),
      "DISK_FULL",
      "A server of the run could not write",
    ],
    [
      "pip's output",
      coded("EMULATOR_INSTALL_FAILED", "OSError: [Errno 122] Disk quota exceeded"),
      "DISK_FULL",
      "quota",
    ],
    [
      "a read-only disk",
      systemError("EROFS", { syscall: "mkdir", path: "/a/b" }),
      "DISK_NOT_WRITABLE",
      'Writing "/a/b" is not allowed (EROFS)',
    ],
    [
      "another user's folder",
      systemError("EACCES", { syscall: "open", path: "/a/b" }),
      "DISK_NOT_WRITABLE",
      "(EACCES)",
    ],
    [
      "a read-only disk in a log",
      coded("EMULATOR_DIED", "OSError: Read-only file system"),
      "DISK_NOT_WRITABLE",
      "TMPDIR",
    ],
  ])("%s", (_, error, code, part) => {
    const failure = diskFailure(error);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(part) as string });
    // What is told already stays as it is.
    expect(diskFailure(failure)).toBe(failure);
  });

  test.each<[string, unknown]>([
    ["another system error", systemError("ECONNREFUSED")],
    ["a program that may not be started", systemError("EACCES", { syscall: "spawn", path: "/bin/x" })],
    ["an error of a domain", coded("DOMAINS_INVALID", "The domains have 2 faults")],
    ["nothing", undefined],
  ])("%s is not one of a disk", (_, error) => {
    expect(diskFailure(error, [tmpdir()])).toBeUndefined();
  });
});

describe("the room that a run needs", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("is there on this machine, also for a project that has not run yet", () => {
    expect(() => checkDisk(tmpdir())).not.toThrow();
  });

  // Linux has a file system of the kernel that holds nothing.
  test.runIf(process.platform === "linux")(
    "is looked at where the folder will be: a disk without room is refused with its folder",
    () => {
      expect(() => checkDisk("/proc/project")).toThrow(
        expect.objectContaining({
          code: "DISK_FULL",
          message: expect.stringContaining('"/proc/project/.domains" has 0 MB left') as string,
        }) as Error,
      );
      vi.stubEnv("TMPDIR", "/proc");
      expect(() => checkDisk(process.cwd())).toThrow(expect.objectContaining({ code: "DISK_FULL" }) as Error);
      vi.stubEnv("DATABASE_URL", "postgres://elsewhere");
      expect(() => checkDisk(process.cwd())).not.toThrow();
    },
  );
});
