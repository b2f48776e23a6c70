import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isRunning, machineName, processReference } from "../../../../dist/local/servers/run/processes.js";
import { openRunDirectory } from "../../../../dist/local/servers/run/run-directory.js";
import { sweepDeadRuns } from "../../../../dist/local/servers/run/clean-up.js";
import { nodeProcess } from "../node-process";
import { temporaryFolder } from "../temporary-folder";

const IDLE = `console.log("up"); setInterval(() => {}, 1000)`;
const DEAD_RUNNER = { pid: process.pid, start: "1" };

function runFolder(project: string, record: Record<string, unknown>): string {
  const path = join(project, ".domains", "runs", "20200101-000000-abcdef");
  mkdirSync(path, { recursive: true });
  const defaults = {
    id: "20200101-000000-abcdef",
    startedAt: "2020-01-01T00:00:00.000Z",
    machine: machineName(),
    runner: DEAD_RUNNER,
  };
  writeFileSync(
    join(path, "run.json"),
    JSON.stringify({ ...defaults, children: [], dataFolders: [], databases: [], ...record }),
  );
  return path;
}

test("a dead run's children are stopped, its folders removed, and both are said", async () => {
  const project = temporaryFolder();
  const data = temporaryFolder();
  const child = nodeProcess(IDLE);
  await child.says("up");
  const reference = processReference(child.pid);
  const path = runFolder(project, {
    children: [{ ...reference, name: "Server", stopSignal: "SIGTERM" }],
    dataFolders: [data],
  });
  const lines: string[] = [];
  await sweepDeadRuns(project, (line) => lines.push(line));
  expect(await child.ended).toBe("SIGTERM");
  expect([existsSync(path), existsSync(data)]).toEqual([false, false]);
  expect(lines).toEqual([
    `Cleaned up after run "20200101-000000-abcdef", which was killed: stopped Server (process ${child.pid}), removed ${data}, removed ${path}`,
  ]);
});

test("a child that ignores its signal is killed together with what it started itself", async () => {
  const project = temporaryFolder();
  const child = nodeProcess(`
    const { pid } = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    process.on("SIGTERM", () => {});
    console.log("grandchild " + pid + ".");
    setInterval(() => {}, 1000)`);
  await child.says(".");
  const grandchild = processReference(Number(/grandchild (\d+)/.exec(child.output())?.[1]));
  expect(grandchild).toBeDefined();
  runFolder(project, {
    children: [{ ...processReference(child.pid), name: "Server", stopSignal: "SIGTERM" }],
  });
  await sweepDeadRuns(project, () => undefined);
  expect(await child.ended).toBe("SIGKILL");
  expect(grandchild && isRunning(grandchild)).toBe(false);
});

test("a process that was given a dead child's pid later is left alone", async () => {
  const project = temporaryFolder();
  const innocent = nodeProcess(IDLE);
  await innocent.says("up");
  const path = runFolder(project, {
    children: [{ pid: innocent.pid, start: "1", name: "Server", stopSignal: "SIGKILL" }],
  });
  await sweepDeadRuns(project, () => undefined);
  expect(existsSync(path)).toBe(false);
  expect(processReference(innocent.pid)).toBeDefined();
});

test("a live run and a run of another machine are left alone", async () => {
  const project = temporaryFolder();
  const live = await openRunDirectory(project);
  const foreign = runFolder(project, { machine: "another" });
  const lines: string[] = [];
  await sweepDeadRuns(project, (line) => lines.push(line));
  expect([existsSync(live.path), existsSync(foreign), lines]).toEqual([true, true, []]);
  await live.close();
});

test("a folder without a record is removed only when it is old", async () => {
  const project = temporaryFolder();
  const runs = join(project, ".domains", "runs");
  for (const name of ["new", "old"]) mkdirSync(join(runs, name), { recursive: true });
  utimesSync(join(runs, "old"), 0, 0);
  await sweepDeadRuns(project, () => undefined);
  expect(readdirSync(runs)).toEqual(["new"]);
});

test("where something cannot be cleaned up, it is said and the record stays for the next sweep", async () => {
  const project = temporaryFolder();
  const adminUrl = "postgresql://nobody:secret@127.0.0.1:1/postgres";
  const path = runFolder(project, { databases: [{ name: "monolith_x", adminUrl }] });
  const lines: string[] = [];
  await sweepDeadRuns(project, (line) => lines.push(line));
  expect(existsSync(path)).toBe(true);
  expect(lines).toEqual([
    'Could not clean up all of run "20200101-000000-abcdef", which was killed: could not drop database "monolith_x": connect ECONNREFUSED 127.0.0.1:1',
  ]);
});
