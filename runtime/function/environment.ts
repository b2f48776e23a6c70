import { codedError } from "./coded-error";

/**
 * The environment variables by which a function learns of the resources around it; nothing of them is captured in code. A handler says
 * which it reads (`Handler.variables`), and the component that declares its function must set exactly those.
 */
export interface Variables {
  /** Name of the event bus. */
  EVENT_BUS_NAME: string;
  /** URL of the queue for records that cannot be decoded. */
  QUARANTINE_QUEUE_URL: string;
  /** JSON object: entity table as registered -> its physical name. */
  ENTITY_TABLES: string;
  /** JSON object: projection as registered -> the physical name of its table. */
  PROJECTION_TABLES: string;
  /** Physical name of a microservice's outbox table. */
  OUTBOX_TABLE: string;
  /** Physical name of a microservice's inbox table. */
  INBOX_TABLE: string;
  /** Days that outbox items are kept. */
  OUTBOX_RETENTION_DAYS: string;
  /** Days that inbox items are kept. */
  INBOX_RETENTION_DAYS: string;
  DATABASE_HOST: string;
  DATABASE_PORT: string;
  DATABASE_NAME: string;
  /** "verify-full" or "disable". */
  DATABASE_TLS: string;
  /** ARN of the secret with {"username","password"}. */
  DATABASE_SECRET_ARN: string;
}

/** The name of an environment variable. */
export type VariableName = keyof Variables;
/** The values of some variables. */
export type Environment<V extends VariableName> = Readonly<Pick<Variables, V>>;

/**
 * Reads the variables that a function cannot do without.
 *
 * @throws VARIABLE_MISSING
 */
export function readEnvironment<V extends VariableName>(names: readonly V[]): Environment<V> {
  const missing = names.find((name) => !process.env[name]);
  if (missing === undefined) {
    return Object.fromEntries(names.map((name) => [name, process.env[name] ?? ""])) as Environment<V>;
  }
  throw codedError(
    "VARIABLE_MISSING",
    `The environment variable "${missing}" is not set. The component that declares this function sets it; deploy again.`,
  );
}

/**
 * Reads a value that is a JSON object of strings, e.g. physical table names.
 *
 * @param name the variable, for messages
 * @throws VARIABLE_MALFORMED
 */
export function mapIn(name: VariableName, value: string): Record<string, string> {
  const map = parsed(value);
  if (typeof map === "object" && map !== null && !Array.isArray(map)) {
    if (Object.values(map).every((one) => typeof one === "string")) return map as Record<string, string>;
  }
  throw codedError(
    "VARIABLE_MALFORMED",
    `The environment variable "${name}" is not a JSON object of texts. The component that declares this function sets it; deploy again.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
