import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { freePort, onFreePort } from "../../../dist/local/servers/free-port.js";

afterEach(() => vi.unstubAllEnvs());

async function takenPort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const taken = (): Error => Object.assign(new Error("taken"), { code: "PORT_TAKEN" });

test("a free port can be listened on", async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await new Promise((resolve) => server.close(resolve));
});

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

test("a port that the user fixed is used as it is", async () => {
  const port = await freePort();
  vi.stubEnv("DOMAINS_TEST_PORT", String(port));
  expect(await onFreePort("DOMAINS_TEST_PORT", "The server", (given) => Promise.resolve(given))).toBe(port);
});

test("a fixed port that is taken is an error that names the port, the variable and the remedy", async () => {
  const port = await takenPort();
  vi.stubEnv("DOMAINS_TEST_PORT", String(port));
  await expect(onFreePort("DOMAINS_TEST_PORT", "The server", () => Promise.resolve())).rejects.toMatchObject({
    code: "PORT_TAKEN",
    message:
      `The server cannot listen on port "${port}", which DOMAINS_TEST_PORT asks for: it is in use. ` +
      "Stop the process that uses it, set DOMAINS_TEST_PORT to another port, or unset it to use a free one",
  });
});

test.each(["0", "65536", "http", "-1", "1e3"])("a fixed port of %j is refused", async (text) => {
  vi.stubEnv("DOMAINS_TEST_PORT", text);
  await expect(onFreePort("DOMAINS_TEST_PORT", "The server", () => Promise.resolve())).rejects.toMatchObject({
    code: "PORT_INVALID",
    message: `DOMAINS_TEST_PORT is "${text}", which is no port. Set it to a number from 1 to 65535, or unset it`,
  });
});
