import { codedError } from "../../runtime/function/coded-error";
import type { CodedError } from "../../runtime/function/coded-error";
import type { Emulator, EmulatorOptions } from "./emulator-server";
import { REGION, ROOT_CREDENTIALS } from "./emulator-server";
import type { EmulatorHealth } from "./emulator-health";
import { emulatorHealth } from "./emulator-health";

/** Uses the emulator that AWS_ENDPOINT_URL names (see `startEmulator`). */
export async function useGivenEmulator(text: string, { report }: EmulatorOptions): Promise<Emulator> {
  const url = parseEndpoint(text);
  const endpoint = url.href.replace(/\/$/, "");
  const health = await healthOf(endpoint);
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
    log: undefined,
    pid: undefined,
    restart: () =>
      Promise.reject(
        codedError(
          "EMULATOR_NOT_OURS",
          `The emulator at "${endpoint}" is not the run's own: unset AWS_ENDPOINT_URL to restart one`,
        ),
      ),
    stop: () => Promise.resolve(),
    died: new Promise<CodedError>(() => undefined),
  };
}

function parseEndpoint(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw codedError(
      "EMULATOR_URL_INVALID",
      `AWS_ENDPOINT_URL is "${text}", which is no URL. Write http://127.0.0.1:4566, say, or unset it to have an emulator started`,
      { cause: error },
    );
  }
  // The run makes and deletes resources as root: never in a real account, whatever the environment holds.
  if (/(^|\.)(amazonaws\.com(\.cn)?|api\.aws)$/i.test(url.hostname)) {
    throw codedError(
      "EMULATOR_IS_AWS",
      `AWS_ENDPOINT_URL is "${text}", which is AWS itself. A local run needs an emulator: unset it to have one started`,
    );
  }
  return url;
}

async function healthOf(endpoint: string): Promise<EmulatorHealth | undefined> {
  try {
    return await emulatorHealth(endpoint);
  } catch (error) {
    throw codedError(
      "EMULATOR_UNREACHABLE",
      `Nothing answers at "${endpoint}" (AWS_ENDPOINT_URL). Start the emulator, correct AWS_ENDPOINT_URL, or unset it to have one started`,
      { cause: error },
    );
  }
}
