import type { AnyCommand } from "../define/command";
import { log } from "../function/log";
import type { Store } from "../store/store";
import { answerCommand, type CommandAnswer } from "./answer";

/**
 * Makes the handler of a domain's command function, invoked with a `CommandRequest`.
 *
 * @param domain the domain's name
 * @param commands as registered
 * @param makeStore opens the domain's database; called once a cold start
 */
export function makeCommandHandler(
  domain: string,
  commands: Record<string, AnyCommand>,
  makeStore: () => Store,
) {
  return () => {
    const store = makeStore();
    return async (request: unknown): Promise<CommandAnswer> => {
      const answer = await answerCommand(domain, commands, store, request);
      const id = answer.outcome === "invalid" ? undefined : answer.id;
      log("info", "Command answered", { domain, id, outcome: answer.outcome });
      return answer;
    };
  };
}
