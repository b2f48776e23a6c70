import type { AnyCommand } from "../command";
import type { Store } from "../staged-change";
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
    return async (request: unknown): Promise<CommandAnswer> =>
      answerCommand(domain, commands, store, request);
  };
}
