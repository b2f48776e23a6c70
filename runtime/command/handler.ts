import { createHash } from "node:crypto";
import { v7 as uuid } from "uuid";
import type { AnyCommand } from "../define/command";
import { newTraceparent } from "../envelope/cloud-event";
import { type DataIssue, issuesText } from "../envelope/data-issues";
import { ID_RULE, isId, parseInput } from "../envelope/portable-data";
import { codedError, shortened } from "../function/coded-error";
import { handler, type VariableName } from "../function/handler";
import { log } from "../function/log";
import { refusedValues } from "../store/refused-values";
import { canonicalInput } from "../store/spelling";
import { commitOnFreshReads } from "../store/retries";
import type { CommitContext, CommittedChange, Once, Store, StoreOpener } from "../store/store";

/** A request to a domain's command function. */
export interface CommandRequest {
  /** The command's name, as registered. */
  command: string;
  input: unknown;
  /**
   * The caller's id for this request, at most 256 characters. Resending the request with the same id changes
   * nothing and returns the original answer. @default a new id, so that the request cannot be repeated
   */
  id?: string;
  /**
   * Groups everything that belongs to one business transaction, at most 256 characters. @default the
   * request's id
   */
  correlationId?: string;
  /** W3C trace context. @default a new trace */
  traceparent?: string;
}

/** The answer of a command function. Anything unexpected is an error instead; nothing was written then. */
export type CommandAnswer =
  /** `repeated`: an earlier request with this id made these changes. */
  | { outcome: "done"; id: string; changes: CommittedChange[]; repeated?: true }
  /** By the command, by a `constraint` of its tables, or with REQUEST_ID_REUSED. Nothing was written; resending the id is a new attempt. */
  | { outcome: "rejected"; id: string; code: string; message: string; constraint?: string }
  /** Nothing was written; try again. */
  | { outcome: "conflict"; id: string; message: string }
  /**
   * The database did not answer, so the command may have taken effect. Resend the request with the same id.
   */
  | { outcome: "unknown"; id: string; message: string }
  | { outcome: "invalid"; message: string; issues: { path: string; message: string }[]; commands?: string[] };

/** Attempts of a command that keeps losing the race for its aggregate, before it answers "conflict". */
const MAX_ATTEMPTS = 3;

/**
 * Makes the handler of a domain's command function, invoked with a `CommandRequest`.
 *
 * @param domain the domain's name
 * @param commands by name, as registered
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
      const code = answer.outcome === "rejected" ? answer.code : undefined;
      log("info", "Command answered", { domain, id, outcome: answer.outcome, code });
      return answer;
    };
  });
}

/**
 * Answers one request: validates the input, runs the command, and commits the changes that it describes with
 * their events. A request whose id was committed before gets the original answer, whatever the state is now.
 * To keep first requests cheap, the inbox is queried only where a request did not end in "done".
 *
 * @param domain the domain's name, for the inbox and for messages
 * @throws REQUEST_MALFORMED, and the errors of the command and of the store; nothing was written then
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
  const parsed = parseInput(command.input(), input, canonicalInput);
  if ("issues" in parsed) return invalidInput(name, parsed.issues);
  const id = givenId ?? uuid();
  const context: CommitContext = {
    correlationId: correlationId ?? id,
    causationId: id,
    traceparent: traceparent ?? newTraceparent(),
    once,
  };
  // `command()` typed the input and the handles against each other when the command was declared.
  const handles = store.handles(command.uses) as never;
  const describe = () => command.handle(parsed.data as never, handles);
  let result;
  try {
    result = await commitOnFreshReads(describe, store, context, MAX_ATTEMPTS);
  } catch (error) {
    // The input's schema takes a value that the database does not.
    const issues = refusedValues(error);
    if (issues) return invalidInput(name, issues);
    throw error;
  }
  if ("kind" in result) {
    const { code, message, constraint } = result;
    return { outcome: "rejected", id, code, message, ...(constraint === undefined ? {} : { constraint }) };
  }
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

function invalidInput(name: string, issues: DataIssue[]): CommandAnswer {
  return {
    outcome: "invalid",
    message: `The input of "${name}" is not valid: ${issuesText(issues)}.`,
    issues,
  };
}

function repeatedAnswer(id: string, committed: CommittedChange[]): CommandAnswer {
  // Databases order the fields in their own way; the repeated answer must equal the first one as JSON text.
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
  const message = `The id "${id}" belongs to another request, which was done. Use a new id for each request; resend an id only with the same command and input.`;
  return { outcome: "rejected", id, code: "REQUEST_ID_REUSED", message };
}

function adviceOn(givenId: string | undefined): string {
  return givenId === undefined
    ? "Check whether it took effect before you send it again. A request with an id can be resent safely."
    : `Resend the same request with the id "${givenId}": it cannot take effect twice.`;
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

/**
 * Identifies a request's content: a hash of the command and the input as sent. The order of an object's
 * fields does not count, since it has no meaning in JSON.
 *
 * @throws REQUEST_MALFORMED for an input that is nested too deeply to be serialized
 */
export function fingerprintOf(command: string, input: unknown): string {
  return createHash("sha256")
    .update(sortedJson([command, input]))
    .digest("base64url");
}

function sortedJson(value: unknown): string {
  try {
    return JSON.stringify(value, withSortedFields);
  } catch (cause) {
    // The stack overflows after some thousand levels; nothing else can fail here.
    throw codedError("REQUEST_MALFORMED", "The input is nested too deeply. Send it with fewer levels.", {
      cause,
    });
  }
}

function withSortedFields(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
