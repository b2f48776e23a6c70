import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { probeEmulator } from "../../../../dist/local/servers/emulator/health.js";

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** An emulator that answers unsigned calls with these, one after another: a status, or no answer at all. */
async function emulator(answers: (number | "none")[], auth = "enabled"): Promise<string> {
  server = createServer((request, response) => {
    if (request.method === "GET") {
      response.end(JSON.stringify({ version: "1.5.33", auth, edition: "run-1" }));
      return;
    }
    const answer = answers.shift() ?? 403;
    if (answer === "none") request.destroy();
    else
      response.writeHead(answer).end(answer === 403 ? "MissingAuthenticationToken" : "<Account>0</Account>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("an emulator that is too busy to answer a question is not ready yet", async () => {
  const endpoint = await emulator(["none", "none", 403]);
  expect(await probeEmulator(endpoint, "run-1")).toBeUndefined();
  expect(await probeEmulator(endpoint, "run-1")).toBeUndefined();
  const health = await probeEmulator(endpoint, "run-1");
  expect(health).toEqual({ version: "1.5.33", authEnforced: true, edition: "run-1" });
});

test("an emulator of another run, which took the port, is not the one that was started", async () => {
  const endpoint = await emulator([403]);
  expect(await probeEmulator(endpoint, "run-2")).toBeUndefined();
});

test.each([
  ["takes an unsigned call", [200], "enabled"],
  ["says that it does not enforce IAM", [403], "disabled"],
])("an emulator that %s is refused", async (_what, answers, auth) => {
  const endpoint = await emulator(answers, auth);
  await expect(probeEmulator(endpoint, "run-1")).rejects.toMatchObject({ code: "EMULATOR_WITHOUT_AUTH" });
});
