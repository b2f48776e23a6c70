import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startChild } from "../../../../dist/local/servers/run/child.js";
import { openRunDirectory } from "../../../../dist/local/servers/run/run-directory.js";
import { temporaryFolder } from "../temporary-folder";

const sleeping = {
  name: "a child",
  command: process.execPath,
  args: ["-e", "setTimeout(() => {}, 60_000)"],
  env: {},
};

describe("on a disk that takes nothing any more", () => {
  test("a child that has ended is known to have ended, although the run cannot record it", async () => {
    const folder = temporaryFolder();
    const run = await openRunDirectory(folder);
    const child = await startChild(run, { ...sleeping, cwd: folder, log: join(folder, "log") });
    const errors: unknown[] = [];
    const note = (error: unknown) => void errors.push(error);
    process.on("uncaughtException", note);
    onTestFinished(() => void process.off("uncaughtException", note));
    // Every further write of the record fails.
    rmSync(run.path, { recursive: true });
    await child.stop("SIGKILL");
    expect(await child.wait()).toBe("signal SIGKILL");
    expect(errors).toEqual([]);
  });

  test("a child that cannot be recorded is not left running", async () => {
    const folder = temporaryFolder();
    const run = await openRunDirectory(folder);
    let pid = 0;
    const full = {
      ...run,
      closing: run.closing,
      update(patch: unknown) {
        const { children } = (patch as (record: object) => { children: { pid: number }[] })({ children: [] });
        pid = children[0]!.pid;
        throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
      },
    };
    const starting = startChild(full as never, { ...sleeping, cwd: folder, log: join(folder, "log") });
    await expect(starting).rejects.toMatchObject({ code: "ENOSPC" });
    await expect.poll(() => isThere(pid)).toBe(false);
    await run.close();
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
