import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { codedError } from "../../../runtime/function/coded-error";
import { startChild } from "../run/child";
import { LOOPBACK, logTail, startOwnServer } from "../run/own-server";
import { type Emulator, type EmulatorOptions, REGION, ROOT_CREDENTIALS } from "./emulator";
import { findMinistack } from "./find-ministack";
import { probeEmulator } from "./health";

const NAME = "AWS emulator";
/** A busy machine takes its time to write the state of hundreds of resources. */
const SAVE_MILLISECONDS = 60_000;
/**
 * The developer's variables that Python and the system need. Functions inherit the emulator's environment, so
 * nothing else.
 */
const PASSED_ON =
  "HOME LANG LC_ALL LD_LIBRARY_PATH PYTHONHOME PYTHONPATH PYTHONUSERBASE SystemRoot USERPROFILE APPDATA LOCALAPPDATA";

/** Starts a MiniStack of the run's own (see `startEmulator`). */
export async function startOwnEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { run, report, persist = false } = options;
  const python = await findMinistack(run, report);
  const [folder, log] = [join(run.path, "emulator"), join(run.path, "emulator.log")];
  // State is written on SIGTERM only; where none is to be written, nothing is lost by the quick way.
  const stopSignal = persist ? "SIGTERM" : "SIGKILL";
  run.closing.throwIfAborted();
  mkdirSync(join(folder, "tmp"), { recursive: true });
  const server = await startOwnServer({
    run,
    name: `The ${NAME}`,
    portVariable: "DOMAINS_EMULATOR_PORT",
    log,
    diedCode: "EMULATOR_DIED",
    start: (port) =>
      startChild(run, {
        name: NAME,
        command: python.executable,
        // -X takes any name: it shows in a process list which run this process belongs to.
        args: ["-X", `domains_run=${run.id}`, "-m", "ministack"],
        env: emulatorEnvironment(options, folder, port),
        cwd: folder,
        log,
        stopSignal,
      }),
    portTaken: /already in use/i,
    probe: (port) => probeEmulator(endpointOf(port), run.id),
    failed: (what) =>
      codedError(
        "EMULATOR_START_FAILED",
        `${what}. Remove the cause, or set AWS_ENDPOINT_URL to a MiniStack that runs already. The end of its log:${logTail(log)}`,
      ),
  });
  return {
    endpoint: endpointOf(server.port),
    port: server.port,
    version: server.found.version,
    authEnforced: true,
    external: false,
    region: REGION,
    credentials: ROOT_CREDENTIALS,
    get pid() {
      return server.pid;
    },
    died: server.died,
    // Killed while it writes its state, it would come back without a part of it.
    restart: (onDown) =>
      server.restart({ signal: stopSignal, graceMilliseconds: SAVE_MILLISECONDS, whileDown: onDown }),
    async stop() {
      await server.stop();
      if (!persist) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * The whole environment of the emulator. `folder` is for its state; temporary files go to "tmp" in it, which must
 * exist.
 */
function emulatorEnvironment(
  { run, persist, variables }: EmulatorOptions,
  folder: string,
  port: number,
): NodeJS.ProcessEnv {
  const temporary = join(folder, "tmp");
  const nothing = join(folder, "none");
  const passedOn = PASSED_ON.split(" ").filter((name) => process.env[name] !== undefined);
  return {
    ...Object.fromEntries(passedOn.map((name) => [name, process.env[name]])),
    // Functions are run by the first "node" on the PATH, which must be the runner's own: Node 24.
    PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
    TZ: "UTC",
    PYTHONUNBUFFERED: "1",
    AUTH: "true",
    GATEWAY_PORT: String(port),
    BIND_HOST: LOOPBACK,
    MINISTACK_REGION: REGION,
    // Comes back in the health answer and so tells this emulator from another one that was quicker to take the
    // port.
    MINISTACK_EDITION: run.id,
    LAMBDA_EXECUTOR: "local",
    // Listeners on fixed ports (8883, 2222), on which two runs would collide.
    IOT_MTLS_ENABLED: "0",
    SFTP_ENABLED: "0",
    // It removes containers of other MiniStacks when it starts; this hides Docker from it.
    DOCKER_HOST: `unix://${nothing}`,
    PERSIST_STATE: persist ? "1" : "0",
    STATE_DIR: join(folder, "state"),
    S3_DATA_DIR: join(folder, "s3"),
    TMPDIR: temporary,
    TEMP: temporary,
    TMP: temporary,
    // A function that lacks credentials must not find the developer's own account.
    AWS_CONFIG_FILE: nothing,
    AWS_SHARED_CREDENTIALS_FILE: nothing,
    AWS_EC2_METADATA_DISABLED: "true",
    ...variables,
  };
}

function endpointOf(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}
