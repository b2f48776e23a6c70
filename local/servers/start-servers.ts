import { codedError } from "../../runtime/function/coded-error";
import { diskFailure, foldersOfRuns } from "./disk";
import type { Emulator, EmulatorOptions } from "./emulator/emulator";
import { startEmulator } from "./emulator/start-emulator";
import type { PostgresServer } from "./postgres/postgres";
import { startPostgres } from "./postgres/start-postgres";
import { type Phase, type Report, step } from "./report";
import { sweepDeadRuns } from "./run/clean-up";
import { startGuardian } from "./run/guardian";
import { openRunDirectory, type RunDirectory } from "./run/run-directory";
import { openStopStack, type StopStack } from "./run/stop-stack";

/** The servers of a run, ready. */
export interface Servers {
  run: RunDirectory;
  postgres: PostgresServer;
  emulator: Emulator;
  /** Stops all of it, and before that what is pushed to it later. */
  stops: StopStack;
}

/** How to start the servers of a run. */
export interface ServersOptions {
  projectRoot: string;
  report: Report;
  /** Gets how long each step took. */
  phases?: Phase[];
  /** How the emulator is started. */
  emulator?: Pick<EmulatorOptions, "persist" | "variables">;
}

/**
 * Cleans up after killed runs, opens a run with a guardian, and starts PostgreSQL and the AWS emulator side by
 * side. If one of them does not start, everything is stopped before the error is thrown.
 *
 * @throws what `openRunDirectory`, `startPostgres` and `startEmulator` throw; RUN_STOPPED if stopping began
 *   meanwhile
 */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { projectRoot, report, phases } = options;
  await sweepDeadRuns(projectRoot, report);
  const run = await openRunDirectory(projectRoot);
  const stops = openStopStack({ report });
  const guardian = startGuardian(run);
  stops.push("the guardian", () => guardian.dismiss());
  stops.push("the run", () => run.close());
  const start = async <S extends { stop(): Promise<void> }>(
    name: string,
    starting: (said: Report) => Promise<S>,
  ) => {
    const server = await step(report, `Starting ${name}`, starting, phases);
    stops.push(name, () => server.stop());
    return server;
  };
  const [postgres, emulator] = await Promise.allSettled([
    start("PostgreSQL", (said) => startPostgres({ run, report: said })),
    start("the AWS emulator", (said) => startEmulator({ run, report: said, ...options.emulator })),
  ]);
  if (stops.signal.aborted || postgres.status === "rejected" || emulator.status === "rejected") {
    const interrupted = stops.signal.aborted;
    const failure = failureOf([postgres, emulator]);
    // Looked at before stopping makes room again.
    const disk = diskFailure(failure, foldersOfRuns(projectRoot));
    await stops.stopAll();
    if (interrupted) throw codedError("RUN_STOPPED", "The run was stopped while its servers were starting");
    throw disk ?? failure;
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
  // Two causes to remove, so both are reported at once.
  const messages = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason)));
  return codedError("SERVERS_NOT_STARTED", messages.join("\n"), { cause: first });
}
