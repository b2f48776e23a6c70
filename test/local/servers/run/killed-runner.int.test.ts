import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test, vi } from "vitest";
import { processReference } from "../../../../dist/local/servers/run/processes.js";
import type { LiveRun } from "../../../../dist/local/servers/run/run-directory.js";
import { liveRuns } from "../../../../dist/local/servers/run/run-directory.js";
import { sweepDeadRuns } from "../../../../dist/local/servers/run/clean-up.js";
import type { NodeProcess } from "../node-process";
import { nodeProcess } from "../node-process";

const TIMEOUT_MILLISECONDS = 180_000;
const RUNNER = `
  dist("start-servers").startServers({ projectRoot: process.cwd(), report: (line) => console.error(line) })
    .then(() => { console.log("both are up"); setInterval(() => {}, 1000); });
`;

async function startRunner(): Promise<{ runner: NodeProcess; run: LiveRun; pids: number[] }> {
  const runner = nodeProcess(RUNNER);
  await runner.says("both are up");
  const run = liveRuns(process.cwd()).find((live) => live.runner.pid === runner.pid) as LiveRun;
  expect(run.children.map(({ name }) => name).sort()).toEqual(["AWS emulator", "PostgreSQL"]);
  expect([run.path, ...run.dataFolders].map(existsSync)).toEqual([true, true]);
  return { runner, run, pids: [...run.children.map(({ pid }) => pid), run["guardian"] as number] };
}

function leftOver(run: LiveRun, pids: number[]): (string | number)[] {
  const temporary = readdirSync(tmpdir()).filter((name) => name.includes(run.id));
  return [...pids.filter((pid) => processReference(pid)), ...[run.path].filter(existsSync), ...temporary];
}

test(
  "a runner that is killed leaves no process and no folder behind",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const { runner, run, pids } = await startRunner();
    runner.signal("SIGKILL");
    expect(await runner.ended).toBe("SIGKILL");
    await vi.waitFor(() => expect(leftOver(run, pids)).toEqual([]), { timeout: 10_000, interval: 50 });
  },
);

test(
  "where the guardian is killed too, the next run's sweep cleans up and says so",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const { runner, run, pids } = await startRunner();
    process.kill(run["guardian"] as number, "SIGKILL");
    runner.signal("SIGKILL");
    await runner.ended;
    expect(leftOver(run, pids)).not.toEqual([]);
    const lines: string[] = [];
    await sweepDeadRuns(process.cwd(), (line) => lines.push(line));
    expect(leftOver(run, pids)).toEqual([]);
    expect(lines).toEqual([
      expect.stringContaining(`Cleaned up after run "${run.id}", which was killed: stopped `),
    ]);
  },
);

test(
  "Ctrl-C stops the servers in good order and the guardian goes away",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const { runner, run, pids } = await startRunner();
    runner.signal("SIGINT");
    expect(await runner.ended).toBe(130);
    expect(leftOver(run, pids)).toEqual([]);
    expect(runner.output()).not.toMatch(/unexpected|could not/i);
  },
);

test(
  "Ctrl-C while the servers are starting leaves nothing behind",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const runner = nodeProcess(RUNNER);
    await runner.says("Starting the AWS emulator ...");
    const run = liveRuns(process.cwd()).find((live) => live.runner.pid === runner.pid) as LiveRun;
    runner.signal("SIGINT");
    expect(await runner.ended).toBe(130);
    await vi.waitFor(() => expect(leftOver(run, [run["guardian"] as number])).toEqual([]), {
      timeout: 10_000,
      interval: 50,
    });
  },
);

test(
  "two runners at the same time each have servers of their own, on ports of their own",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const [one, other] = await Promise.all([startRunner(), startRunner()]);
    expect(one.run["endpoint"]).not.toBe(other.run["endpoint"]);
    expect(one.pids.filter((pid) => other.pids.includes(pid))).toEqual([]);
    for (const { runner } of [one, other]) runner.signal("SIGINT");
    expect(await Promise.all([one.runner.ended, other.runner.ended])).toEqual([130, 130]);
    expect([...leftOver(one.run, one.pids), ...leftOver(other.run, other.pids)]).toEqual([]);
  },
);
