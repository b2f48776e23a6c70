import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { emulatorReady } from "../../../dist/local/servers/emulator-ready.js";

const RUNS = { exit: () => undefined };
const LOG = join(__dirname, "no-such.log");

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

test("an emulator that is too busy to answer a question at first is asked again", async () => {
  const endpoint = await emulator(["none", "none", 403]);
  const health = await emulatorReady(RUNS, { endpoint, runId: "run-1", log: LOG });
  expect(health).toEqual({ version: "1.5.33", authEnforced: true, edition: "run-1" });
});

test.each([
  ["takes an unsigned call", [200], "enabled"],
  ["says that it does not enforce IAM", [403], "disabled"],
])("an emulator that %s is refused", async (_what, answers, auth) => {
  const endpoint = await emulator(answers, auth);
  await expect(emulatorReady(RUNS, { endpoint, runId: "run-1", log: LOG })).rejects.toMatchObject({
    code: "EMULATOR_WITHOUT_AUTH",
  });
});

test("an emulator that ends before it is ready is told with its exit", async () => {
  const endpoint = await emulator([]);
  const ended = { exit: () => "exit code 3" };
  await expect(emulatorReady(ended, { endpoint, runId: "another", log: LOG })).rejects.toMatchObject({
    code: "EMULATOR_START_FAILED",
    message: expect.stringContaining("ended while starting (exit code 3)") as string,
  });
});
