import { setTimeout as delay } from "node:timers/promises";
import type { CommandAnswer, CommandRequest } from "../../../runtime/command/handler";
import type { CommandRequest as NotedRequest, ToldAnswer } from "../../verdict/writers-journal";
import type { FaultSchedule } from "../plan/fault-schedule";
import type { CommandOperation } from "./operation";

/** Sends a request to a domain's command function. */
export type Send = (domain: string, request: CommandRequest) => Promise<CommandAnswer>;

/** A caller gives up after so many tries without an answer. */
const MAX_TRIES = 8;
const PAUSE_MILLISECONDS = 150;

/** Sends a command as a careful caller does: with an id, and again with the same id while no answer came. */
export async function sendCommand(
  operation: CommandOperation,
  send: Send,
  schedule: FaultSchedule,
): Promise<NotedRequest> {
  const { requestId, domain, command, input } = operation;
  const entry: NotedRequest = { kind: "command", requestId, domain, command, answers: [] };
  const request = { id: requestId, command, input };
  const fault = schedule.draw(`caller of ${domain}`, ["request repeated", "request answer lost"]);
  for (let attempt = 1; attempt <= MAX_TRIES; attempt += 1) {
    const answer = await once(() => send(domain, request));
    const isUnseen = fault === "request answer lost" && attempt === 1;
    entry.answers.push(isUnseen ? { outcome: "lost" } : answer);
    if (isUnseen || isOpen(answer)) {
      await delay(PAUSE_MILLISECONDS * attempt);
      continue;
    }
    if (fault !== "request repeated" || attempt > 1) break;
  }
  return entry;
}

/** Whether the caller does not know yet what became of the request. */
function isOpen({ outcome }: ToldAnswer): boolean {
  return outcome === "lost" || outcome === "unknown";
}

/** The function may have been killed, have thrown, or not have been reached: the caller cannot tell. */
async function once(send: () => Promise<CommandAnswer>): Promise<ToldAnswer> {
  try {
    return await send();
  } catch {
    return { outcome: "lost" };
  }
}
