/*
 * Lambda's runtime logs every property of an error and of its causes. PostgreSQL quotes rows in them ("Failing
 * row contains (...)"), DynamoDB returns items, and parsers repeat what they could not read.
 */

/** Causes that are kept, each of the one before. */
const MAX_CAUSES = 5;
/** A line of a stack trace ends in a position. */
const FRAME = /^\s+at .*(:\d+:\d+\)?|<anonymous>\)?|\(native\)|\(index \d+\))$/;

/** The properties of errors that are read here; nothing is known of their types. */
type Unchecked = Partial<
  Record<
    | "name"
    | "message"
    | "stack"
    | "cause"
    | "code"
    | "severity"
    | "routine"
    | "issues"
    | "$fault"
    | "$metadata"
    | "CancellationReasons",
    unknown
  >
>;

/**
 * A copy of an error that may be logged. It has the name, code, message, stack trace and causes; of PostgreSQL's
 * errors also the names in the catalog, of AWS's the request. No other property is kept, and a message that may
 * quote a value is replaced. What a domain's own code says in `new Error(...)` stays.
 *
 * @param error whatever was thrown
 */
export function withoutValues(error: unknown): Error {
  return copyOf(error, MAX_CAUSES);
}

/** Why something failed, as it may be logged. */
export function loggedReason(error: unknown): { code?: string; reason: string } {
  const { code, name, message } = withoutValues(error) as Error & { code?: string };
  const known = code ?? (name === "Error" ? undefined : name);
  return { ...(known === undefined ? {} : { code: known }), reason: message };
}

/** Whether an error is PostgreSQL's answer to a statement, as pg reports it. */
export function isDatabaseError(error: unknown): boolean {
  const { severity, code } = (error ?? {}) as Unchecked;
  return typeof severity === "string" && /^[0-9A-Z]{5}$/.test(String(code));
}

/** Whether a `raise` of a function in the database ended the statement: its text may hold any value. */
export function isRaised(error: unknown): boolean {
  const { routine, code } = (error ?? {}) as Unchecked;
  return (routine === "exec_stmt_raise" || code === "P0001") && !isOfFramework(String(code));
}

/** The SQLSTATEs that the framework's own functions raise; their messages quote no value but a key. */
function isOfFramework(code: string): boolean {
  return /^DC\d{3}$/.test(code);
}

function copyOf(error: unknown, causes: number): Error {
  if (typeof error !== "object" || error === null) {
    return new Error(
      `Something that is not an Error was thrown: ${error === null ? "null" : `a ${typeof error}`}.`,
    );
  }
  const { name, cause, stack } = error as Unchecked;
  const message = messageOf(error);
  const options = cause === undefined || causes === 0 ? undefined : { cause: copyOf(cause, causes - 1) };
  const copy = Object.assign(new Error(message, options), factsOf(error));
  if (typeof name === "string" && name !== "Error") Object.assign(copy, { name });
  const frames = typeof stack === "string" ? stack.split("\n").filter((line) => FRAME.test(line)) : [];
  copy.stack = [`${copy.name}: ${message}`, ...frames].join("\n");
  return copy;
}

/**
 * Classes of SQLSTATEs whose messages name things of the catalog or the state of the server, and no value. Source:
 * PostgreSQL 17, appendix A; "23" says "Failing row contains" in `detail` only.
 */
const WITHOUT_VALUES = /^(03|08|0A|21|23|25|26|28|2B|34|3D|3F|40|42|53|54|55|57|58)/;
/** AWS's errors about a request's content, which may repeat a part of it. */
const ABOUT_CONTENT = /Validation|Serialization|InvalidParameter|InvalidMessage|InvalidArgument/;

/** Node.js's errors about an argument, which they repeat. */
const ABOUT_ARGUMENT = /^ERR_(INVALID|UNKNOWN|OUT_OF_RANGE|BUFFER|ENCODING|AMBIGUOUS|ILLEGAL|UNSUPPORTED)/;

function messageOf(error: object): string {
  const { name, message, code, issues, $fault } = error as Unchecked;
  const text = typeof message === "string" ? message : "";
  if (isDatabaseError(error)) {
    const isSafe = isOfFramework(String(code)) || (WITHOUT_VALUES.test(String(code)) && !isRaised(error));
    return isSafe ? text : `PostgreSQL refused it with SQLSTATE ${String(code)}.`;
  }
  if (typeof $fault === "string" && ABOUT_CONTENT.test(String(name)))
    return "AWS refused the content of the request.";
  if (Array.isArray(issues) && /ZodError$/.test(String(name))) return "A value does not fit its schema.";
  if (name === "SyntaxError") return "A text cannot be parsed.";
  return ABOUT_ARGUMENT.test(String(code)) ? "Node.js refused an argument." : text;
}

const NAMES_OF_DATABASE = [
  "severity",
  "schema",
  "table",
  "column",
  "dataType",
  "constraint",
  "routine",
] as const;

function factsOf(error: object): Record<string, unknown> {
  const { code, $fault, $metadata, CancellationReasons } = error as Unchecked;
  const facts: Record<string, unknown> = typeof code === "string" ? { code } : {};
  if (isDatabaseError(error)) {
    for (const name of NAMES_OF_DATABASE) {
      const value = (error as Record<string, unknown>)[name];
      if (typeof value === "string") facts[name] = value;
    }
  }
  if (typeof $fault === "string") {
    const { httpStatusCode, requestId, attempts } = ($metadata ?? {}) as Record<string, unknown>;
    Object.assign(facts, { $fault, $metadata: { httpStatusCode, requestId, attempts } });
    if (Array.isArray(CancellationReasons)) {
      facts["CancellationReasons"] = CancellationReasons.map((reason) => ({
        Code: (reason as { Code?: unknown } | null)?.Code,
      }));
    }
  }
  return facts;
}
