import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { onFreePort, waitUntilReady } from "../../../../dist/local/servers/run/own-server.js";
import { codedError } from "../../../../dist/runtime/function/coded-error.js";
import { temporaryFolder } from "../../../support/process/temporary-folder";

afterEach(() => vi.unstubAllEnvs());

const taken = (): Error => Object.assign(new Error("taken"), { code: "PORT_TAKEN" });

test("a start whose port was taken meanwhile is tried again with another port, five times in all", async () => {
  const ports: number[] = [];
  const start = (after: number) => (port: number) => {
    ports.push(port);
    return ports.length > after ? Promise.resolve("up") : Promise.reject(taken());
  };
  expect(await onFreePort("DOMAINS_TEST_PORT", "The server", start(2))).toBe("up");
  expect(new Set(ports).size).toBe(3);
  ports.length = 0;
  await expect(onFreePort("DOMAINS_TEST_PORT", "The server", start(9))).rejects.toThrow("taken");
  expect(ports).toHaveLength(5);
});

test("a start that fails for another reason is not tried again", async () => {
  const start = vi.fn(() => Promise.reject(new Error("broken")));
  await expect(onFreePort("DOMAINS_TEST_PORT", "The server", start)).rejects.toThrow("broken");
  expect(start).toHaveBeenCalledTimes(1);
});

test("starts at the same time get different ports", async () => {
  const start = (port: number) => Promise.resolve(port);
  const starts = Array.from({ length: 20 }, () => onFreePort("DOMAINS_TEST_PORT", "The server", start));
  expect(new Set(await Promise.all(starts)).size).toBe(20);
});

test("a port that the user fixed is used as it is", async () => {
  vi.stubEnv("DOMAINS_TEST_PORT", "4711");
  expect(await onFreePort("DOMAINS_TEST_PORT", "The server", (given) => Promise.resolve(given))).toBe(4711);
});

test("a fixed port that is taken is an error that names the port, the variable and the remedy", async () => {
  vi.stubEnv("DOMAINS_TEST_PORT", "4711");
  const start = vi.fn(() => Promise.reject(taken()));
  await expect(onFreePort("DOMAINS_TEST_PORT", "The server", start)).rejects.toMatchObject({
    code: "PORT_TAKEN",
    message:
      `The server cannot listen on port "4711", which DOMAINS_TEST_PORT asks for: it is in use. ` +
      "Stop the process that uses it, set DOMAINS_TEST_PORT to another port, or unset it to use a free one",
  });
  expect(start).toHaveBeenCalledTimes(1);
});

test.each(["0", "65536", "http", "-1", "1e3"])("a fixed port of %j is refused", async (text) => {
  vi.stubEnv("DOMAINS_TEST_PORT", text);
  await expect(onFreePort("DOMAINS_TEST_PORT", "The server", () => Promise.resolve())).rejects.toMatchObject({
    code: "PORT_INVALID",
    message: `DOMAINS_TEST_PORT is "${text}", which is not a port. Set it to a number from 1 to 65535, or unset it`,
  });
});

const folder = temporaryFolder();

/** A server that ended with this as its last words, or that runs and gives these answers. */
function starting({ lastWords, answers = [] }: { lastWords?: string; answers?: (string | undefined)[] }) {
  const log = join(folder, "server.log");
  writeFileSync(log, `starting\n${lastWords ?? ""}\n`);
  const program = {
    name: "The server",
    log,
    portTaken: /in use/,
    probe: () => Promise.resolve(answers.shift()),
    failed: (what: string) => codedError("SERVER_FAILED", what),
  };
  const child = { exit: () => (lastWords === undefined ? undefined : "exit code 1") };
  return waitUntilReady(program, child, 5432);
}

test("a server is asked until it is ready", async () => {
  const answers = [undefined, undefined, "ready", "not asked for"];
  expect(await starting({ answers })).toBe("ready");
  expect(answers).toEqual(["not asked for"]);
});

test.each([
  [
    "bind: address in use",
    "PORT_TAKEN",
    'The server cannot listen on port "5432": another process took it. Start again',
  ],
  ["out of memory", "SERVER_FAILED", "The server ended while starting (exit code 1)"],
])("a server that ended with the words %o fails with %s", async (lastWords, code, message) => {
  await expect(starting({ lastWords })).rejects.toMatchObject({ code, message });
});
