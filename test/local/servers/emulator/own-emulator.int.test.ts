import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import type { Emulator } from "../../../../dist/local/servers/emulator/emulator.js";
import { startEmulator } from "../../../../dist/local/servers/emulator/start-emulator.js";
import { processReference } from "../../../../dist/local/servers/run/processes.js";
import type { RunDirectory } from "../../../../dist/local/servers/run/run-directory.js";
import { openRunDirectory } from "../../../../dist/local/servers/run/run-directory.js";

/** Includes the installation of the emulator, where this is the first time. */
const TIMEOUT_MILLISECONDS = 180_000;

afterEach(() => vi.unstubAllEnvs());

/** In the project itself, whose cache holds the emulator. */
async function openRun(): Promise<RunDirectory> {
  const run = await openRunDirectory(process.cwd());
  onTestFinished(() => run.close());
  return run;
}

const start = (run: RunDirectory): Promise<Emulator> => startEmulator({ run, report: () => undefined });

test(
  "an emulator of the run's own enforces IAM for everybody but its root caller, and leaves nothing",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const run = await openRun();
    const emulator = await start(run);
    const { endpoint, region, credentials } = emulator;
    expect(emulator).toMatchObject({ authEnforced: true, external: false, region: "us-east-1" });
    const root = new STSClient({ endpoint, region, credentials });
    expect((await root.send(new GetCallerIdentityCommand({}))).Arn).toContain(":root");
    const stranger = new DynamoDBClient({
      endpoint,
      region,
      credentials: { accessKeyId: "AKIASTRANGER", secretAccessKey: "x" },
      maxAttempts: 1,
    });
    await expect(stranger.send(new ListTablesCommand({}))).rejects.toMatchObject({
      $metadata: { httpStatusCode: expect.any(Number) as number },
    });
    expect(existsSync(join(tmpdir(), `ministack-${emulator.port}.pid`))).toBe(false);
    root.destroy();
    stranger.destroy();
    await emulator.stop();
    await emulator.stop();
    expect(processReference(emulator.pid as number)).toBeUndefined();
    expect(run.record.children).toEqual([]);
    expect(existsSync(join(run.path, "emulator"))).toBe(false);
  },
);

test("two emulators run side by side", { timeout: TIMEOUT_MILLISECONDS }, async () => {
  const [first, second] = await Promise.all([start(await openRun()), start(await openRun())]);
  expect(first.port).not.toBe(second.port);
  await Promise.all([first.stop(), second.stop()]);
});

test(
  "an emulator that ends though nobody stopped it is noticed",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const emulator = await start(await openRun());
    process.kill(emulator.pid as number, "SIGKILL");
    expect(await emulator.died).toMatchObject({
      code: "EMULATOR_DIED",
      message: expect.stringContaining("signal SIGKILL") as string,
    });
  },
);

test("a fixed port that is taken is refused by name", { timeout: TIMEOUT_MILLISECONDS }, async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  vi.stubEnv("DOMAINS_EMULATOR_PORT", String(port));
  await expect(start(await openRun())).rejects.toMatchObject({
    code: "PORT_TAKEN",
    message: expect.stringContaining(
      `The AWS emulator cannot listen on port "${port}", which DOMAINS_EMULATOR_PORT asks for: it is in use.`,
    ) as string,
  });
});
