import type { AddressInfo } from "node:net";
import { createServer } from "node:http";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import type { Emulator } from "../../../../dist/local/servers/emulator/emulator.js";
import { startEmulator } from "../../../../dist/local/servers/emulator/start-emulator.js";
import { openRunDirectory } from "../../../../dist/local/servers/run/run-directory.js";
import { temporaryFolder } from "../temporary-folder";

afterEach(() => vi.unstubAllEnvs());

async function start(url: string, lines: string[] = []): Promise<Emulator> {
  vi.stubEnv("AWS_ENDPOINT_URL", url);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "");
  const run = await openRunDirectory(temporaryFolder());
  onTestFinished(() => run.close());
  return startEmulator({ run, report: (line) => lines.push(line) });
}

async function answering(body: string): Promise<string> {
  const server = createServer((_, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("the user's MiniStack is used as it is", async () => {
  const url = await answering(JSON.stringify({ version: "1.5.40", auth: "enabled" }));
  const lines: string[] = [];
  const emulator = await start(`${url}/`, lines);
  expect(emulator).toMatchObject({
    endpoint: url,
    version: "1.5.40",
    authEnforced: true,
    external: true,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  expect(lines).toEqual([`Using MiniStack 1.5.40 at ${url} (AWS_ENDPOINT_URL)`]);
  await emulator.stop();
});

test("it is said when the user's emulator does not enforce IAM", async () => {
  const url = await answering("<html>");
  const lines: string[] = [];
  expect(await start(url, lines)).toMatchObject({ version: "unknown", authEnforced: false });
  expect(lines).toEqual([
    `Using an emulator that is not MiniStack at ${url} (AWS_ENDPOINT_URL)`,
    "IAM is not enforced there: a missing permission will not show in this run. Start MiniStack with AUTH=true, or unset AWS_ENDPOINT_URL",
  ]);
});

test.each([
  ["http://127.0.0.1:1", "EMULATOR_UNREACHABLE", "Nothing answers at"],
  ["localhost", "EMULATOR_URL_INVALID", 'AWS_ENDPOINT_URL is "localhost", which is not a URL'],
  ["https://dynamodb.us-east-1.amazonaws.com", "EMULATOR_IS_AWS", "which is AWS itself"],
  ["https://dynamodb.us-east-1.api.aws", "EMULATOR_IS_AWS", "which is AWS itself"],
])("AWS_ENDPOINT_URL %s is refused with %s", async (url, code, message) => {
  await expect(start(url)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  });
});
