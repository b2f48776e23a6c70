import { loadDomains } from "../domains/registry";
import { sendCommand } from "../local/system/command-client";
import type { CommandAnswer } from "../runtime/command/handler";
import { codedError } from "../runtime/function/coded-error";
import { choose, type RunningSystem } from "./running-system";
import { describeCommands } from "./describe";

/** What to send. */
export interface SendOptions {
  domain: string;
  command: string;
  /** JSON text. */
  input: string;
  /** The request's id; the same request under it again is not done again. */
  id?: string;
}

/**
 * Sends a command through a domain's deployed command function.
 *
 * @throws NAME_UNKNOWN, INPUT_NOT_JSON, COMMAND_FAILED
 */
export async function send(system: RunningSystem, options: SendOptions): Promise<CommandAnswer> {
  const { domain, command, input, id } = options;
  const functionName = choose("domain", domain, system.commandFunctions);
  const { modules, microservices } = loadDomains();
  const registered = [...modules, ...microservices].find(({ name }) => name === domain);
  if (registered) choose(`command of "${domain}"`, command, registered.commands);
  let parsed: unknown;
  try {
    parsed = JSON.parse(input);
  } catch (cause) {
    const taken = registered ? `\n${describeCommands(registered)}` : "";
    const reason = (cause as Error).message;
    throw codedError("INPUT_NOT_JSON", `The input is not JSON: ${reason}. You gave: ${input}${taken}`, {
      cause,
    });
  }
  const request = { command, input: parsed, ...(id === undefined ? {} : { id }) };
  return sendCommand(system.clients.lambda, functionName, request);
}
