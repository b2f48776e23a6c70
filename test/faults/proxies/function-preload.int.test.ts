import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

const PRELOAD = require.resolve("../../../dist/test/faults/proxies/function-preload.js");
const CALL = `
  require("node:http").request({ host: "127.0.0.1", port: process.argv[1], path: "/queue" }, (response) => response.resume()).end();`;

const received: string[] = [];
const listening = (name: string) =>
  createServer((request: IncomingMessage, response) => {
    received.push(`${name} ${request.url} ${request.headers.host}`);
    response.end();
  });
const [emulator, proxy] = [listening("emulator"), listening("proxy")];
const portOf = (server: typeof proxy) => String((server.address() as AddressInfo).port);

beforeAll(async () => {
  for (const server of [emulator, proxy]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
});
beforeEach(() => {
  received.length = 0;
});
afterAll(() => {
  emulator.close();
  proxy.close();
});

async function run(script: string, ...args: string[]): Promise<string> {
  const env = {
    NODE_OPTIONS: `--require "${PRELOAD}"`,
    AWS_LAMBDA_FUNCTION_NAME: "orders-relay-1a2b3c4",
    GATEWAY_PORT: portOf(emulator),
    AWS_ENDPOINT_URL: `http://127.0.0.1:${portOf(proxy)}`,
  };
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script, ...args], { env });
  return stdout;
}

test("a queue's URL leads to the emulator itself; a function's calls of it go through the proxy all the same", async () => {
  await run(CALL, portOf(emulator));
  expect(received).toEqual([expect.stringMatching(/^proxy \/queue /)]);
});

test("calls to elsewhere go there", async () => {
  const elsewhere = listening("elsewhere").listen(0, "127.0.0.1");
  await once(elsewhere, "listening");
  await run(CALL, portOf(elsewhere));
  elsewhere.close();
  expect(received).toEqual([expect.stringMatching(/^elsewhere \/queue /)]);
});

test("a function's calls and statements carry its name and process, and its clock is wrong", async () => {
  const told = await run(
    `console.log(process.env.AWS_SDK_UA_APP_ID, process.env.PGAPPNAME, process.pid, Date.now())`,
  );
  const [app, database, pid, now] = told.trim().split(" ");
  expect([app, database]).toEqual([`${pid}.orders-relay-1a2b3c4`, `${pid}.orders-relay-1a2b3c4`]);
  expect(Math.abs(Number(now) - Date.now())).toBeGreaterThan(2_000);
});
