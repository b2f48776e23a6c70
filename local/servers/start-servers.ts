import { codedError } from "../../runtime/function/coded-error";
import type { Emulator } from "./emulator";
import { startEmulator } from "./emulator";
import type { EmulatorOptions } from "./emulator-server";
import { startGuardian } from "./guardian";
import type { PostgresServer } from "./postgres";
import { startPostgres } from "./postgres";
import type { Report } from "./report";
import type { RunDirectory } from "./run-directory";
import { openRunDirectory } from "./run-directory";
import type { Phase } from "./step";
import { step } from "./step";
import type { StopStack } from "./stop-stack";
import { openStopStack } from "./stop-stack";
import { sweepDeadRuns } from "./sweep";

/** The servers of a run, ready. */
export interface Servers {
  run: RunDirectory;
  postgres: PostgresServer;
  emulator: Emulator;
  /** Stops all of it, and what is pushed to it later before that. */
  stops: StopStack;
}

/** How to start the servers of a run. */
export interface ServersOptions {
  projectRoot: string;
  report: Report;
  /** Gets how long each step took. */
  phases?: Phase[];
  /**
   * Whether Ctrl-C, SIGTERM, SIGHUP and uncaught errors stop everything and end the process.
   *
   * @default true
   */
  handleSignals?: boolean;
  /** How the emulator is started. */
  emulator?: Pick<EmulatorOptions, "persist" | "variables">;
}

/**
 * Cleans up after killed runs, opens a run with a guardian, and starts PostgreSQL and the AWS emulator side by side. If one
 * of them does not start, everything is stopped before the error is thrown.
 *
 * @throws what `openRunDirectory`, `startPostgres` and `startEmulator` throw; RUN_STOPPED if stopping began meanwhile
 */
export async function startServers({
  projectRoot,
  report,
  phases,
  handleSignals = true,
  emulator: emulatorOptions = {},
}: ServersOptions): Promise<Servers> {
  await sweepDeadRuns(projectRoot, report);
  const run = await openRunDirectory(projectRoot);
  const stops = openStopStack({ report, handleSignals });
  const guardian = startGuardian(run);
  stops.push("the guardian", () => guardian.dismiss());
  stops.push("the run", () => run.close());
  const [postgres, emulator] = await Promise.allSettled([
    step(report, "Starting PostgreSQL", (said) => startPostgres({ run, report: said }), phases).then(
      (server) => {
        stops.push("PostgreSQL", () => server.stop());
        return server;
      },
    ),
    step(
      report,
      "Starting the AWS emulator",
      (said) => startEmulator({ run, report: said, ...emulatorOptions }),
      phases,
    ).then((server) => {
      stops.push("the AWS emulator", () => server.stop());
      return server;
    }),
  ]);
  if (stops.signal.aborted || postgres.status === "rejected" || emulator.status === "rejected") {
    const interrupted = stops.signal.aborted;
    await stops.stopAll();
    if (interrupted) throw codedError("RUN_STOPPED", "The run was stopped while its servers were starting");
    throw failureOf([postgres, emulator]);
  }
  run.update({ endpoint: emulator.value.endpoint });
  return { run, postgres: postgres.value, emulator: emulator.value, stops };
}

function failureOf(results: PromiseSettledResult<unknown>[]): unknown {
  const reasons = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason as unknown] : [],
  );
  const [first, ...others] = reasons;
  if (others.length === 0) return first;
  // Two causes to remove, so both are told at once.
  const messages = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason)));
  return codedError("SERVERS_NOT_STARTED", messages.join("\n"), { cause: first });
}
