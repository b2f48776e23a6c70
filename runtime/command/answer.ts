import { v7 as uuid } from "uuid";
import type { AnyCommand, Rejection } from "../command";
import { codedError } from "../coded-error";
import type { CommittedChange, StagedChange, Store } from "../staged-change";
import { newTraceparent } from "../trace-context";

/** What a domain's command function is invoked with. */
export interface CommandRequest {
  /** The command's name, as registered. */
  command: string;
  input: unknown;
  /** The caller's id for this request, at most 256 characters: the same id again does nothing more. Default: a new one. */
  id?: string;
  /** What this request belongs to, at most 256 characters; default: its id. */
  correlationId?: string;
  /** W3C trace context; default: a new trace. */
  traceparent?: string;
}

/** What it answers. Only what is unexpected is an error instead. */
export type CommandAnswer =
  | { outcome: "done"; id: string; changes: CommittedChange[]; repeated?: true }
  | { outcome: "rejected"; id: string; code: string; message: string }
  | { outcome: "conflict"; id: string; message: string }
  | { outcome: "invalid"; message: string; issues: { path: string; message: string }[]; commands?: string[] };

/** What the outbox keeps of ids and trace contexts; they travel in the envelope of every event, whose size is limited too. */
const MAX_ID_CHARACTERS = 256;

/** A command that keeps losing the race for its aggregate answers "conflict" after so many tries. */
const MAX_ATTEMPTS = 3;

/**
 * Answers one request: validates the input, lets the command read and describe its changes, and commits them with their events.
 *
 * @param domain the domain's name, for the inbox and for messages
 */
export async function answerCommand(
  domain: string,
  commands: Record<string, AnyCommand>,
  store: Store,
  request: unknown,
): Promise<CommandAnswer> {
  const { command: name, input, id, correlationId, traceparent } = requestOf(request);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) return unknownCommand(domain, name, Object.keys(commands));
  const parsed = command.input().safeParse(input);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => ({
      path: issue.path.join("."),
      message: issue.message,
    }));
    const message = `The input of "${name}" is not valid: ${issues.map((issue) => `${issue.path || "(root)"}: ${issue.message}`).join("; ")}.`;
    return { outcome: "invalid", message, issues };
  }
  const requestId = id ?? uuid();
  const context = {
    correlationId: correlationId ?? requestId,
    causationId: requestId,
    traceparent: traceparent ?? newTraceparent(),
    once: id === undefined ? undefined : { consumer: `${domain}.commands`, messageId: id },
  };
  // Whoever declared the command typed its handles and input by what it uses and takes.
  const handles = store.handles(command.uses) as never;
  let message = "";
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const described: StagedChange | StagedChange[] | Rejection = await command.handle(
      parsed.data as never,
      handles,
    );
    if ("kind" in described && described.kind === "rejection") {
      return { outcome: "rejected", id: requestId, code: described.code, message: described.message };
    }
    const committed = await store.commit([described].flat() as StagedChange[], context);
    if (committed.outcome === "committed")
      return { outcome: "done", id: requestId, changes: committed.changes };
    if (committed.outcome === "duplicate")
      return { outcome: "done", id: requestId, changes: [], repeated: true };
    message = committed.message;
  }
  return { outcome: "conflict", id: requestId, message };
}

function requestOf(request: unknown): CommandRequest {
  const { command, id, correlationId, traceparent } = (request ?? {}) as Partial<
    Record<keyof CommandRequest, unknown>
  >;
  const texts = { id, correlationId, traceparent };
  const wrong = Object.entries(texts).find(
    ([, value]) =>
      value !== undefined && (typeof value !== "string" || !value || value.length > MAX_ID_CHARACTERS),
  );
  if (typeof command !== "string" || wrong) {
    throw codedError(
      "REQUEST_MALFORMED",
      `The request is not {"command", "input", "id"?, "correlationId"?, "traceparent"?}: ${wrong ? `"${wrong[0]}" is not a text of 1 to ${MAX_ID_CHARACTERS} characters` : '"command" is missing'}.`,
    );
  }
  return request as CommandRequest;
}

function unknownCommand(domain: string, name: string, commands: string[]): CommandAnswer {
  const message = `The domain "${domain}" has no command "${name}". Its commands are ${commands.join(", ") || "none"}.`;
  return { outcome: "invalid", message, issues: [{ path: "command", message }], commands };
}
