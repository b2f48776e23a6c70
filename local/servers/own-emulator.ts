import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { CodedError } from "../../runtime/function/coded-error";
import { codedError } from "../../runtime/function/coded-error";
import type { Child } from "./child";
import { startChild } from "./child";
import { emulatorEnvironment } from "./emulator-environment";
import type { Emulator, EmulatorOptions } from "./emulator-server";
import { REGION, ROOT_CREDENTIALS } from "./emulator-server";
import type { EmulatorHealth } from "./emulator-health";
import { emulatorReady } from "./emulator-ready";
import { findMinistack } from "./find-ministack";
import { LOOPBACK, onFreePort } from "./free-port";
import { logTail } from "./log-tail";
import type { RunDirectory } from "./run-directory";

const NAME = "AWS emulator";
/** A busy machine takes its time to write the state of hundreds of resources. */
const SAVE_MILLISECONDS = 60_000;

/** Starts a MiniStack of the run's own (see `startEmulator`). */
export async function startOwnEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { run, report, persist = false } = options;
  const python = await findMinistack(run, report);
  const place: Place = {
    run,
    python: python.executable,
    folder: join(run.path, "emulator"),
    log: join(run.path, "emulator.log"),
    persist,
    variables: options.variables ?? {},
  };
  const { folder, log } = place;
  run.closing.throwIfAborted();
  mkdirSync(join(folder, "tmp"), { recursive: true });
  const started = await onFreePort("DOMAINS_EMULATOR_PORT", "The AWS emulator", async (candidate) => ({
    port: candidate,
    ...(await startOn(place, candidate)),
  }));
  const { port, health } = started;
  let { child } = started;
  let stopped = false;
  let reportDeath: (error: CodedError) => void;
  const died = new Promise<CodedError>((resolve) => (reportDeath = resolve));
  const watch = (watched: Child): void => {
    void watched.exited.then((exit) => {
      if (stopped || run.closing.aborted || child !== watched) return;
      reportDeath(
        codedError(
          "EMULATOR_DIED",
          `The AWS emulator ended unexpectedly (${exit}). The end of "${log}":${logTail(log)}`,
        ),
      );
    });
  };
  watch(child);
  return {
    endpoint: endpointOf(port),
    port,
    version: health.version,
    authEnforced: true,
    external: false,
    region: REGION,
    credentials: ROOT_CREDENTIALS,
    log,
    get pid() {
      return child.pid;
    },
    died,
    async restart(onDown) {
      stopped = true;
      // Killed while it writes its state, it would come back without a part of it.
      await child.stop(persist ? "SIGTERM" : "SIGKILL", SAVE_MILLISECONDS);
      onDown?.();
      ({ child } = await startOn(place, port));
      stopped = false;
      watch(child);
    },
    async stop() {
      stopped = true;
      await child.stop();
      if (!persist) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** What stays the same when it is started again. */
interface Place {
  run: RunDirectory;
  python: string;
  folder: string;
  log: string;
  persist: boolean;
  variables: Readonly<Record<string, string>>;
}

async function startOn(place: Place, port: number): Promise<{ child: Child; health: EmulatorHealth }> {
  const { run, folder, log, persist, variables } = place;
  const child = await startChild(run, {
    name: NAME,
    command: place.python,
    // -X takes any name: it shows in a process list which run this process belongs to.
    args: ["-X", `domains_run=${run.id}`, "-m", "ministack"],
    env: emulatorEnvironment({ folder, port, runId: run.id, persist, variables }),
    cwd: folder,
    log,
    // State is written on SIGTERM only; where none is to be written, nothing is lost by the quick way.
    stopSignal: persist ? "SIGTERM" : "SIGKILL",
  });
  try {
    return { child, health: await emulatorReady(child, { endpoint: endpointOf(port), runId: run.id, log }) };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

function endpointOf(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}
