import type { Context } from "aws-lambda";
import { parsedJson } from "../envelope/portable-data";
import { codedError } from "./coded-error";
import { withoutValues } from "./private-values";

/** A Lambda handler before it is packaged. */
export interface Handler<V extends VariableName, Event = never, Result = unknown> {
  /** The environment variables that it reads. */
  variables: readonly V[];
  /** Pulumi serializes this. It is called once per cold start and makes the function that Lambda invokes. */
  callbackFactory: () => (event: Event, context: Context) => Promise<Result>;
}

/**
 * Declares a handler.
 *
 * @param variables the environment variables that it reads
 * @param make called once per cold start with their values; makes clients and schemas, and returns the
 *   function that Lambda invokes
 */
export function handler<V extends VariableName, Event, Result>(
  variables: readonly V[],
  make: (environment: Environment<V>) => (event: Event, context: Context) => Promise<Result>,
): Handler<V, Event, Result> {
  return {
    variables,
    callbackFactory() {
      const run = make(readEnvironment(variables));
      return async (event, context) => {
        try {
          return await run(event, context);
        } catch (error) {
          // Lambda's runtime logs and returns whatever is in the error.
          throw withoutValues(error);
        }
      };
    },
  };
}

/**
 * The environment variables from which a function learns the names of the resources around it; none of these
 * names is captured in its code. A handler declares which variables it reads (`Handler.variables`), and the
 * component that declares its function must set exactly those.
 */
export interface Variables {
  /** Name of the event bus. */
  EVENT_BUS_NAME: string;
  /** URL of the queue for records that cannot be published. */
  QUARANTINE_QUEUE_URL: string;
  /** Physical name of a relay's table of holds. */
  HOLDS_TABLE: string;
  /** Entity table as registered -> its physical name; in the form of table-names.ts. */
  ENTITY_TABLES: string;
  /** Projection as registered -> the physical name of its table; in the form of table-names.ts. */
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
 * Reads required environment variables.
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
 * Parses a value that is a JSON object of strings, e.g. physical table names.
 *
 * @param name the variable, for messages
 * @throws VARIABLE_MALFORMED
 */
export function mapIn(name: VariableName, value: string): Record<string, string> {
  const map = parsedJson(value);
  if (typeof map === "object" && map !== null && !Array.isArray(map)) {
    if (Object.values(map).every((one) => typeof one === "string")) return map as Record<string, string>;
  }
  throw codedError(
    "VARIABLE_MALFORMED",
    `The environment variable "${name}" is not a JSON object of strings. The component that declares this function sets it; deploy again.`,
  );
}
