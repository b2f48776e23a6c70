import { join } from "node:path";
import type { LocalDatabase } from "./database";
import type { SecretArns } from "./secrets";

/** The Pulumi project, as Pulumi.yaml names it. */
export const PROJECT = "domain-consistency";
/** The stack of a laptop run. */
export const LOCAL_STACK = "local";

/** Loads the compiled program; its exports are the stack's outputs. */
export function loadProgram(): unknown {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the program runs when it is loaded, after the mocks are set
  return require(join(__dirname, "..", "..", "index.js"));
}

/** The configuration of a laptop run: the run's own database, without TLS on the loopback interface. */
export function localConfig(database: LocalDatabase, secrets: SecretArns): Record<string, string> {
  return {
    databaseHost: database.host,
    databasePort: String(database.port),
    databaseName: database.name,
    databaseTls: "disable",
    applicationSecretArn: secrets.application,
    captureSecretArn: secrets.capture,
    retentionSecretArn: secrets.retention,
    deletionProtection: "false",
    logRetentionDays: "7",
  };
}
