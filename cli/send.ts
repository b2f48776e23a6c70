import { loadDomains } from "../domains/registry";
import { sendCommand } from "../local/system/command-client";
import type { CommandAnswer } from "../runtime/command/handler";
import { parsedJson } from "../runtime/envelope/portable-data";
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
  const parsed = parsedJson(input);
  if (parsed === undefined) {
    const taken = registered ? `\n${describeCommands(registered)}` : "";
    throw codedError(
      "INPUT_NOT_JSON",
      `The input, a text of ${input.length} characters, is not JSON. Quote it for your shell: '{"customerId":"..."}'.${taken}`,
    );
  }
  const request = { command, input: parsed, ...(id === undefined ? {} : { id }) };
  return sendCommand(system.clients.lambda, functionName, request);
}
