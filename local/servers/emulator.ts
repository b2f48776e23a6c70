import type { Emulator, EmulatorOptions } from "./emulator-server";
import { useGivenEmulator } from "./given-emulator";
import { startOwnEmulator } from "./own-emulator";

export type { Emulator, EmulatorOptions };

/**
 * Starts MiniStack for this run with IAM enforced, on 127.0.0.1 and a free port (`DOMAINS_EMULATOR_PORT` fixes it), or uses
 * the emulator that `AWS_ENDPOINT_URL` names. MiniStack itself is looked for on the PATH and in the Python in use (`PYTHON`
 * names another interpreter), and else installed once into the project's cache folder.
 *
 * @throws PYTHON_MISSING, PYTHON_TOO_OLD, EMULATOR_INSTALL_FAILED, EMULATOR_START_FAILED, EMULATOR_WITHOUT_AUTH, PORT_TAKEN,
 *   PORT_INVALID; with AWS_ENDPOINT_URL: EMULATOR_URL_INVALID, EMULATOR_IS_AWS, EMULATOR_UNREACHABLE
 */
export function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const given = process.env["AWS_ENDPOINT_URL"];
  return given === undefined || given === "" ? startOwnEmulator(options) : useGivenEmulator(given, options);
}
