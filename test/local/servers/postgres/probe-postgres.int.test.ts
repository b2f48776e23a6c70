import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { probePostgres } from "../../../../dist/local/servers/postgres/own-postgres.js";
import { sharedPostgres } from "../../../support/postgres/postgres.js";

let server: Server;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

/**
 * What becomes of a connection before a server is ready: it breaks off when it is made, or when the client has
 * said who it is.
 */
type Broken = "at once" | "after the first message";

/** A real server behind a port whose first connections break off. */
async function startedWith(broken: Broken[]): Promise<string> {
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
  return url.href;
}

test("a server whose first connections break off, for which the client has no error code, is not ready yet", async () => {
  const broken: Broken[] = ["after the first message", "at once"];
  const url = await startedWith(broken);
  expect(await probePostgres(url)).toBeUndefined();
  expect(await probePostgres(url)).toBeUndefined();
  expect(broken).toEqual([]);
  expect(await probePostgres(url)).toMatch(/^\d+/);
});

test("a server of somebody else, which refuses the password, is not the one that was started", async () => {
  const url = new URL(await startedWith([]));
  url.password = "another";
  expect(await probePostgres(url.href)).toBeUndefined();
});

test("an error that waiting does not cure is thrown at once", async () => {
  const url = await startedWith([]);
  const nowhere = url.replace(/\/[^/]*$/, "/no_such_database");
  await expect(probePostgres(nowhere)).rejects.toMatchObject({ code: "3D000" });
});
