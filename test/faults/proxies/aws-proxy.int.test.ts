import { createServer, type IncomingHttpHeaders } from "node:http";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type AwsProxy, type CallFault, startAwsProxy } from "../../../dist/test/faults/proxies/aws-proxy.js";

const received: { body: string; headers: IncomingHttpHeaders }[] = [];
const service = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    received.push({ body, headers: request.headers });
    response.writeHead(200, { "x-amzn-requestid": "1" }).end(`did ${body}`);
  });
});
let proxy: AwsProxy;
let fault: CallFault | undefined;
let seen: { functionName: string; target: string }[] = [];

beforeAll(async () => {
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address() as AddressInfo;
  proxy = await startAwsProxy({
    target: () => ({ host: "127.0.0.1", port }),
    decide: ({ caller, target }) => {
      seen.push({ functionName: caller.functionName, target });
      return Promise.resolve(fault);
    },
  });
});
beforeEach(() => {
  fault = undefined;
  seen = [];
  received.length = 0;
});
afterAll(async () => {
  await proxy.stop();
  service.close();
});

const call = (body: string, pid = process.pid) =>
  fetch(proxy.endpoint, {
    method: "POST",
    body,
    headers: {
      "user-agent": `aws-sdk-js/3 app/${pid}.orders-relay-1a2b3c4`,
      "x-amz-target": "AWSEvents.PutEvents",
    },
  });

test("a call is passed on as it is, and its caller is known", async () => {
  const answer = await call("work");
  expect(await answer.text()).toBe("did work");
  expect(answer.headers.get("x-amzn-requestid")).toBe("1");
  expect(received[0]?.headers.host).toBe(new URL(proxy.endpoint).host);
  expect(seen).toEqual([{ functionName: "orders-relay-1a2b3c4", target: "AWSEvents.PutEvents" }]);
});

test("a call that no function makes is passed on without asking", async () => {
  fault = { do: "cut" };
  expect(await (await fetch(proxy.endpoint, { method: "POST", body: "x" })).text()).toBe("did x");
  expect(seen).toEqual([]);
});

test("a call is refused, or cut, before the service has it", async () => {
  fault = { do: "refuse", status: 400, code: "ThrottlingException" };
  const answer = await call("work");
  expect([answer.status, await answer.json()]).toMatchObject([400, { __type: "ThrottlingException" }]);
  fault = { do: "cut" };
  await expect(call("work")).rejects.toThrow();
  expect(received).toEqual([]);
});

test("an answer is lost after the work was done", async () => {
  fault = { do: "lose answer" };
  await expect(call("work")).rejects.toThrow();
  expect(received.map(({ body }) => body)).toEqual(["work"]);
});

test.each([
  ["before", []],
  ["after", ["work"]],
] as const)("the caller's process is killed %s the work", async (when, done) => {
  const process = spawn("sleep", ["60"], { stdio: "ignore" });
  const killed = once(process, "exit");
  fault = { do: `kill ${when}` };
  await expect(call("work", process.pid)).rejects.toThrow();
  expect(await killed).toEqual([null, "SIGKILL"]);
  expect(received.map(({ body }) => body)).toEqual(done);
});
