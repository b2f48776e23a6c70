import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { postgresReady } from "../../../dist/local/servers/postgres-ready.js";
import { sharedPostgres } from "../../support/postgres.js";

const RUNS = { exit: () => undefined };
const LOG = join(__dirname, "no-such.log");

let server: Server;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

/** What becomes of a connection before a server is ready: it breaks off when it is made, or when the client has said who it is. */
type Broken = "at once" | "after the first message";

/** A real server behind a port whose first connections break off. */
async function startedWith(broken: Broken[]): Promise<{ url: string; port: number; log: string }> {
  const url = new URL(sharedPostgres().adminUrl);
  const [host, port] = [url.hostname, Number(url.port)];
  server = createServer((client) => {
    sockets.push(client);
    client.on("error", () => undefined);
    const how = broken.shift();
    if (how === "at once") client.destroy();
    else if (how) client.once("data", () => client.end());
    else sockets.push(client.pipe(connect(port, host).on("error", () => undefined)).pipe(client) as Socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  return { url: url.href, port: Number(url.port), log: LOG };
}

test("a server whose first connections break off, which the client tells without an error code, is tried again", async () => {
  const broken: Broken[] = ["after the first message", "at once", "after the first message"];
  const started = await startedWith(broken);
  await expect(postgresReady(RUNS, started)).resolves.toMatch(/^\d+/);
  expect(broken).toEqual([]);
});

test("a server that ends before it is ready is told with its exit", async () => {
  const started = await startedWith(["at once"]);
  await expect(postgresReady({ exit: () => "exit code 1" }, started)).rejects.toMatchObject({
    code: "POSTGRES_START_FAILED",
    message: expect.stringContaining("PostgreSQL ended while starting (exit code 1)") as string,
  });
});

test("an error that waiting does not mend is told at once", async () => {
  const { url, ...started } = await startedWith([]);
  const nowhere = url.replace(/\/[^/]*$/, "/no_such_database");
  await expect(postgresReady(RUNS, { ...started, url: nowhere })).rejects.toMatchObject({
    code: "POSTGRES_START_FAILED",
    cause: { code: "3D000" },
  });
});
