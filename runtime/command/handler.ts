import { v7 as uuid } from "uuid";
import type { AnyCommand } from "../define/command";
import { ID_RULE, isId } from "../envelope/identifier";
import { issuesText, parseData } from "../envelope/parse-data";
import { newTraceparent } from "../envelope/trace-context";
import { codedError, shortened } from "../function/coded-error";
import type { VariableName } from "../function/environment";
import { handler } from "../function/handler";
import { log } from "../function/log";
import { commitOnFreshReads } from "../store/retries";
import type { CommitContext, CommittedChange, Once, Store, StoreOpener } from "../store/store";
import { fingerprintOf } from "./fingerprint";

/** What a domain's command function is invoked with. */
export interface CommandRequest {
  /** The command's name, as registered. */
  command: string;
  input: unknown;
  /**
   * The caller's id for this request, at most 256 characters. Sending the same request again under the same id changes nothing and
   * returns the original answer. Default: a new id, so that the request cannot be repeated.
   */
  id?: string;
  /** What this request belongs to, at most 256 characters; default: its id. */
  correlationId?: string;
  /** W3C trace context; default: a new trace. */
  traceparent?: string;
}

/** What it answers. Only what is unexpected is an error instead; nothing was written then. */
export type CommandAnswer =
  /** `repeated`: by an earlier request with this id, whose changes these are. */
  | { outcome: "done"; id: string; changes: CommittedChange[]; repeated?: true }
  /** By the command, or with REQUEST_ID_REUSED. Nothing was written; the same id again is a new try. */
  | { outcome: "rejected"; id: string; code: string; message: string }
  /** Nothing was written; try again. */
  | { outcome: "conflict"; id: string; message: string }
  /** The database did not answer. It may have been done: send the same request with the same id again. */
  | { outcome: "unknown"; id: string; message: string }
  | { outcome: "invalid"; message: string; issues: { path: string; message: string }[]; commands?: string[] };

/** A command that keeps losing the race for its aggregate answers "conflict" after so many tries. */
const MAX_ATTEMPTS = 3;

/**
 * Makes the handler of a domain's command function, invoked with a `CommandRequest`.
 *
 * @param domain the domain's name
 * @param commands as registered
 */
export function makeCommandHandler<V extends VariableName>(
  domain: string,
  commands: Record<string, AnyCommand>,
  opener: StoreOpener<V>,
) {
  return handler(opener.variables, (environment) => {
    const store = opener.open(environment);
    return async (request: unknown): Promise<CommandAnswer> => {
      const answer = await answerCommand(domain, commands, store, request);
      const id = answer.outcome === "invalid" ? undefined : answer.id;
      log("info", "Command answered", { domain, id, outcome: answer.outcome });
      return answer;
    };
  });
}

/**
 * Answers one request: validates the input, lets the command read and describe its changes, and commits them with their events. A
 * request whose id was committed before is answered by what was committed then, whatever the state is now. The inbox is asked for it
 * only where a first request would not be done, so that one costs no more.
 *
 * @param domain the domain's name, for the inbox and for messages
 */
export async function answerCommand(
  domain: string,
  commands: Record<string, AnyCommand>,
  store: Store,
  request: unknown,
): Promise<CommandAnswer> {
  const given = requestOf(request);
  const { id } = given;
  if (id === undefined) return answerAsNew(domain, commands, store, given, undefined);
  const fingerprint = fingerprintOf(given.command, given.input);
  const once = { consumer: `${domain}.commands`, messageId: id, fingerprint };
  const repeated = async () => {
    const first = await store.committedRequest(once);
    if (!first) return undefined;
    return first.fingerprint === fingerprint ? repeatedAnswer(id, first.changes) : reusedId(id);
  };
  let answer: CommandAnswer;
  try {
    answer = await answerAsNew(domain, commands, store, given, once);
  } catch (error) {
    const earlier = await repeated().catch(() => undefined);
    if (earlier) return earlier;
    throw error;
  }
  if (answer.outcome === "done" && !answer.repeated) return answer;
  if (answer.outcome === "unknown") return (await repeated().catch(() => undefined)) ?? answer;
  return (await repeated()) ?? answer;
}

async function answerAsNew(
  domain: string,
  commands: Record<string, AnyCommand>,
  store: Store,
  { command: name, input, id: givenId, correlationId, traceparent }: CommandRequest,
  once: Once | undefined,
): Promise<CommandAnswer> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) return unknownCommand(domain, name, Object.keys(commands));
  const parsed = parseData(command.input(), input);
  if ("issues" in parsed) {
    const { issues } = parsed;
    return {
      outcome: "invalid",
      message: `The input of "${name}" is not valid: ${issuesText(issues)}.`,
      issues,
    };
  }
  const id = givenId ?? uuid();
  const context: CommitContext = {
    correlationId: correlationId ?? id,
    causationId: id,
    traceparent: traceparent ?? newTraceparent(),
    once,
  };
  // Whoever declared the command typed its handles and input by what it uses and takes.
  const handles = store.handles(command.uses) as never;
  const describe = () => command.handle(parsed.data as never, handles);
  const result = await commitOnFreshReads(describe, store, context, MAX_ATTEMPTS);
  if ("kind" in result) return { outcome: "rejected", id, code: result.code, message: result.message };
  switch (result.outcome) {
    case "committed":
      return { outcome: "done", id, changes: result.changes };
    case "duplicate":
      return repeatedAnswer(id, []);
    case "conflict":
      return { outcome: "conflict", id, message: result.message };
    case "unknown":
      return { outcome: "unknown", id, message: `${result.message} ${adviceOn(givenId)}` };
  }
}

function repeatedAnswer(id: string, committed: CommittedChange[]): CommandAnswer {
  // In the order of fields in which the first request was answered; databases have their own.
  const changes = committed.map(({ aggregate, id, version, event, eventId }) => ({
    aggregate,
    id,
    version,
    event,
    eventId,
  }));
  return { outcome: "done", id, changes, repeated: true };
}

function reusedId(id: string): CommandAnswer {
  const message = `The id "${id}" belongs to another request, which was done. Use a new id for each request; send an id again only with the same command and input.`;
  return { outcome: "rejected", id, code: "REQUEST_ID_REUSED", message };
}

function adviceOn(givenId: string | undefined): string {
  return givenId === undefined
    ? "Check whether it was done before you send it again. A request that has an id can simply be sent again."
    : `Send the same request again with the id "${givenId}": it will not be done twice.`;
}

function requestOf(request: unknown): CommandRequest {
  const { command, id, correlationId, traceparent } = (request ?? {}) as Partial<
    Record<keyof CommandRequest, unknown>
  >;
  const texts = { id, correlationId, traceparent };
  const wrong = Object.entries(texts).find(([, value]) => value !== undefined && !isId(value));
  if (typeof command !== "string" || wrong) {
    throw codedError(
      "REQUEST_MALFORMED",
      `The request is not {"command", "input", "id"?, "correlationId"?, "traceparent"?}: ${wrong ? `"${wrong[0]}" is not ${ID_RULE}` : '"command" is missing'}.`,
    );
  }
  return request as CommandRequest;
}

function unknownCommand(domain: string, name: string, commands: string[]): CommandAnswer {
  const message = `The domain "${domain}" has no command "${shortened(name)}". Its commands are ${commands.join(", ") || "none"}.`;
  return { outcome: "invalid", message, issues: [{ path: "command", message }], commands };
}
