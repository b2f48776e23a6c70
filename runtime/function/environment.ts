import { codedError } from "./coded-error";

/** The environment variables by which a function learns of the resources around it; nothing of them is captured in code. */
export const ENVIRONMENT = {
  /** Name of the event bus. */
  eventBus: "EVENT_BUS_NAME",
  /** URL of the queue for records that cannot be decoded. */
  quarantineQueue: "QUARANTINE_QUEUE_URL",
  /** JSON object: entity table as registered -> its physical name. */
  entityTables: "ENTITY_TABLES",
  /** JSON object: projection as registered -> the physical name of its table. */
  projectionTables: "PROJECTION_TABLES",
  /** Physical name of a microservice's outbox table. */
  outboxTable: "OUTBOX_TABLE",
  /** Physical name of a microservice's inbox table. */
  inboxTable: "INBOX_TABLE",
  /** Days that outbox items are kept. */
  outboxRetentionDays: "OUTBOX_RETENTION_DAYS",
  /** Days that inbox items are kept. */
  inboxRetentionDays: "INBOX_RETENTION_DAYS",
  databaseHost: "DATABASE_HOST",
  databasePort: "DATABASE_PORT",
  databaseName: "DATABASE_NAME",
  /** "verify-full" or "disable". */
  databaseTls: "DATABASE_TLS",
  /** ARN of the secret with {"username","password"}. */
  databaseSecret: "DATABASE_SECRET_ARN",
} as const;

/** Reads a variable that the function cannot do without. */
export function requiredVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") {
    throw codedError(
      "VARIABLE_MISSING",
      `The environment variable "${name}" is not set. The component that declares this function sets it; deploy again.`,
    );
  }
  return value;
}

/** Reads a variable that holds a JSON object of strings, e.g. physical table names. */
export function variableMap(name: string): Record<string, string> {
  const map = parsed(requiredVariable(name));
  if (typeof map === "object" && map !== null && !Array.isArray(map)) {
    if (Object.values(map).every((value) => typeof value === "string")) return map as Record<string, string>;
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
