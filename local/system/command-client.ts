import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { CommandAnswer, CommandRequest } from "../../runtime/command/handler";
import { codedError } from "../../runtime/function/coded-error";

/**
 * Sends a command to a domain's deployed command function.
 *
 * @returns any answer of the function, including rejections
 * @throws COMMAND_FAILED when the function fails
 */
export async function sendCommand(
  lambda: LambdaClient,
  functionName: string,
  request: CommandRequest,
): Promise<CommandAnswer> {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }),
  );
  const payload = answer.Payload?.transformToString() ?? "";
  if (answer.FunctionError) {
    throw codedError(
      "COMMAND_FAILED",
      `The function "${functionName}" failed at command "${request.command}": ${payload}. Check its log.`,
    );
  }
  return JSON.parse(payload) as CommandAnswer;
}
