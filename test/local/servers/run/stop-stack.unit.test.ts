import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { openStopStack } from "../../../../dist/local/servers/run/stop-stack.js";
import { nodeProcess } from "../node-process";

function stack(timeoutMilliseconds = 1_000) {
  const lines: string[] = [];
  return {
    lines,
    stops: openStopStack({ report: (line) => lines.push(line), handleSignals: false, timeoutMilliseconds }),
  };
}

test("what was started last is stopped first, one after another, and once", async () => {
  const { stops } = stack();
  const order: string[] = [];
  stops.push("a", () => void order.push("a"));
  stops.push("b", async () => {
    await new Promise((resolve) => setImmediate(resolve));
    order.push("b");
  });
  expect(stops.signal.aborted).toBe(false);
  await Promise.all([stops.stopAll(), stops.stopAll()]);
  await stops.stopAll();
  expect(order).toEqual(["b", "a"]);
  expect(stops.signal.aborted).toBe(true);
});

test("one that fails or hangs is reported and the others are stopped all the same", async () => {
  const { lines, stops } = stack(20);
  const order: string[] = [];
  stops.push("a", () => void order.push("a"));
  stops.push("the hanging one", () => new Promise(() => undefined));
  stops.push("the failing one", () => {
    throw new Error("no");
  });
  await stops.stopAll();
  expect(order).toEqual(["a"]);
  expect(lines).toEqual([
    "Could not stop the failing one: no",
    "Stopping the hanging one takes more than 0.02 s; going on without it",
  ]);
});

test("what comes up after stopping has begun is stopped as well", async () => {
  const { stops } = stack();
  const order: string[] = [];
  stops.push("a", () => {
    order.push("a");
    stops.push("late", () => void order.push("late"));
  });
  await stops.stopAll();
  await stops.stopAll();
  expect(order).toEqual(["a", "late"]);
});

const PROGRAM = `
  const { openStopStack } = dist("run/stop-stack");
  const stops = openStopStack({ report: (line) => console.error(line) });
  stops.push("first", () => console.log("stopped first"));
  stops.push("second", () => new Promise((resolve) => setTimeout(() => { console.log("stopped second"); resolve() }, DELAY)));
  setInterval(() => {}, 1000);
`;

test.each([
  ["SIGINT", 130, "Stopping (Ctrl-C again to end at once) ..."],
  ["SIGTERM", 143, "Stopping (SIGTERM) ..."],
  ["SIGHUP", 129, "Stopping (SIGHUP) ..."],
] as const)("%s stops everything in order and ends the process with code %i", async (signal, code, line) => {
  const runner = nodeProcess(`${PROGRAM.replace("DELAY", "10")} console.log("up")`);
  await runner.says("up");
  runner.signal(signal);
  expect(await runner.ended).toBe(code);
  expect(runner.output().split("\n").sort()).toEqual(
    ["", "up", line, "stopped second", "stopped first"].sort(),
  );
});

test("a Ctrl-C that arrives twice at once, as under npm, counts as one; a later one ends the process at once", async () => {
  const runner = nodeProcess(`${PROGRAM.replace("DELAY", "60000")} console.log("up")`);
  await runner.says("up");
  runner.signal("SIGINT");
  await runner.says("again to end at once");
  runner.signal("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 400));
  runner.signal("SIGINT");
  expect(await runner.ended).toBe(130);
  expect(runner.output()).toContain("Ended at once; what is left is cleaned up in the background");
  expect(runner.output()).not.toContain("stopped");
});

test.each([
  ["an uncaught exception", `setTimeout(() => { throw new Error("broken") }, 10)`],
  ["an unhandled rejection", `Promise.reject(new Error("broken"))`],
])("%s is reported, everything is stopped, and the process ends with code 1", async (_, cause) => {
  const runner = nodeProcess(`${PROGRAM.replace("DELAY", "10")} ${cause}`);
  expect(await runner.ended).toBe(1);
  expect(runner.output()).toContain("Unexpected error: Error: broken");
  expect(runner.output()).toContain("stopped second\nstopped first");
});

test("why the process ended is told also where progress is reported to nobody", async () => {
  const silent = PROGRAM.replace("(line) => console.error(line)", "() => undefined").replace("DELAY", "10");
  const runner = nodeProcess(`${silent} Promise.reject(new Error("broken"))`);
  expect(await runner.ended).toBe(1);
  expect(runner.output()).toContain("Unexpected error: Error: broken");
});

test("after a normal end the process ends by itself", async () => {
  const runner = nodeProcess(
    `${PROGRAM.replace("DELAY", "10").replace("setInterval(() => {}, 1000)", "")} stops.stopAll()`,
  );
  expect(await runner.ended).toBe(0);
});

test("a process whose output nobody reads any more stops everything and ends", async () => {
  const stackPath = require.resolve("../../../../dist/local/servers/run/stop-stack.js");
  const program = `
    const { openStopStack } = require(${JSON.stringify(stackPath)});
    const report = (line) => process.stderr.write(line + "\\n");
    const stops = openStopStack({ report });
    stops.push("a", () => process.stdout.write("stopped"));
    setInterval(() => report("still at it"), 5);`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.once("data", () => child.stderr.destroy());
  const [exitCode] = (await once(child, "close")) as [number];
  expect([exitCode, output]).toEqual([129, "stopped"]);
});
