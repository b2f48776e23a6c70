import { codedError } from "../../../runtime/function/coded-error";
import { type Emulator, type EmulatorOptions, REGION, ROOT_CREDENTIALS } from "./emulator";
import { emulatorHealth } from "./health";
import { startOwnEmulator } from "./own-emulator";

/**
 * Starts MiniStack for this run with IAM enforced, on 127.0.0.1 and a free port (`DOMAINS_EMULATOR_PORT` fixes
 * it), or uses the emulator that `AWS_ENDPOINT_URL` names. MiniStack itself is looked for on the PATH and in the
 * Python in use (`PYTHON` names another interpreter), and else installed once into the project's cache folder.
 *
 * @throws PYTHON_MISSING, PYTHON_TOO_OLD, EMULATOR_INSTALL_FAILED, EMULATOR_START_FAILED, EMULATOR_WITHOUT_AUTH,
 *   PORT_TAKEN, PORT_INVALID; with AWS_ENDPOINT_URL: EMULATOR_URL_INVALID, EMULATOR_IS_AWS, EMULATOR_UNREACHABLE
 */
export function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const given = process.env["AWS_ENDPOINT_URL"];
  return given ? useGivenEmulator(given, options) : startOwnEmulator(options);
}

async function useGivenEmulator(text: string, { report }: EmulatorOptions): Promise<Emulator> {
  const url = parseEndpoint(text);
  const endpoint = url.href.replace(/\/$/, "");
  const health = await emulatorHealth(endpoint).catch((cause: unknown) => {
    throw codedError(
      "EMULATOR_UNREACHABLE",
      `Nothing answers at "${endpoint}" (AWS_ENDPOINT_URL). Start the emulator, correct AWS_ENDPOINT_URL, or unset it to have one started`,
      { cause },
    );
  });
  const { version, authEnforced } = health ?? { version: "unknown", authEnforced: false };
  const name = health ? `MiniStack ${version}` : "an emulator that is not MiniStack";
  report(`Using ${name} at ${endpoint} (AWS_ENDPOINT_URL)`);
  if (!authEnforced) {
    report(
      "IAM is not enforced there: a missing permission will not show in this run. Start MiniStack with AUTH=true, or unset AWS_ENDPOINT_URL",
    );
  }
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  return {
    endpoint,
    port: Number(url.port || (url.protocol === "https:" ? "443" : "80")),
    version,
    authEnforced,
    external: true,
    region: REGION,
    // An emulator that was started with other root credentials is given to us together with them.
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : ROOT_CREDENTIALS,
    pid: undefined,
    async restart() {
      throw codedError(
        "EMULATOR_NOT_OURS",
        `The emulator at "${endpoint}" is not the run's own: unset AWS_ENDPOINT_URL to restart one`,
      );
    },
    stop: () => Promise.resolve(),
    died: new Promise(() => undefined),
  };
}

function parseEndpoint(text: string): URL {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw codedError(
      "EMULATOR_URL_INVALID",
      `AWS_ENDPOINT_URL is "${text}", which is not a URL. Use http://127.0.0.1:4566, say, or unset it to have an emulator started`,
    );
  const url = new URL(text);
  // The run makes and deletes resources as root: never in a real account, whatever the environment holds.
  if (/(^|\.)(amazonaws\.com(\.cn)?|api\.aws)$/i.test(url.hostname))
    throw codedError(
      "EMULATOR_IS_AWS",
      `AWS_ENDPOINT_URL is "${text}", which is AWS itself. A local run needs an emulator: unset it to have one started`,
    );
  return url;
}
