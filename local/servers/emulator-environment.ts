import { delimiter, dirname, join } from "node:path";
import { REGION } from "./emulator-server";
import { LOOPBACK } from "./free-port";

/** What differs between emulators of a run's own. */
export interface EmulatorSettings {
  /** For its state; temporary files go to "tmp" in it, which has to exist. Absolute. */
  folder: string;
  port: number;
  runId: string;
  persist: boolean;
  /** Added as they are. */
  variables: Readonly<Record<string, string>>;
}

/** The developer's variables that Python and the system need. Nothing else: functions inherit the emulator's environment. */
const PASSED_ON = [
  "HOME",
  "LANG",
  "LC_ALL",
  "LD_LIBRARY_PATH",
  "PYTHONHOME",
  "PYTHONPATH",
  "PYTHONUSERBASE",
  "SystemRoot",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
];

/** The whole environment of a MiniStack of a run's own. */
export function emulatorEnvironment({
  folder,
  port,
  runId,
  persist,
  variables,
}: EmulatorSettings): NodeJS.ProcessEnv {
  const temporary = join(folder, "tmp");
  const nothing = join(folder, "none");
  return {
    ...Object.fromEntries(
      PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    // Functions are run by the "node" found first, which has to be the runner's own: Node 24.
    PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
    TZ: "UTC",
    PYTHONUNBUFFERED: "1",
    AUTH: "true",
    GATEWAY_PORT: String(port),
    BIND_HOST: LOOPBACK,
    MINISTACK_REGION: REGION,
    // Comes back in the health answer and so tells this emulator from another one that was quicker to take the port.
    MINISTACK_EDITION: runId,
    LAMBDA_EXECUTOR: "local",
    // Listeners on fixed ports (8883, 2222), on which two runs would collide.
    IOT_MTLS_ENABLED: "0",
    SFTP_ENABLED: "0",
    // It removes containers of other MiniStacks when it starts; there is no Docker here, as far as it can see.
    DOCKER_HOST: `unix://${nothing}`,
    PERSIST_STATE: persist ? "1" : "0",
    STATE_DIR: join(folder, "state"),
    S3_DATA_DIR: join(folder, "s3"),
    TMPDIR: temporary,
    TEMP: temporary,
    TMP: temporary,
    // A function must not find the developer's own account where it lacks credentials.
    AWS_CONFIG_FILE: nothing,
    AWS_SHARED_CREDENTIALS_FILE: nothing,
    AWS_EC2_METADATA_DISABLED: "true",
    ...variables,
  };
}
