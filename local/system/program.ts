import { Module } from "node:module";
import { join } from "node:path";
import { loadDomainsFrom } from "../../registry/load-domains";
import type { LocalDatabase, SecretArns } from "./database";

/** The Pulumi project, as Pulumi.yaml names it. */
export const PROJECT = "domain-consistency";
/** The stack of a local run. */
export const LOCAL_STACK = "local";

const BUILD = join(__dirname, "..", "..");

/** Where a system finds its domains. */
export interface DomainSource {
  /** The folder of the domain folders, compiled. */
  domains: string;
  /** The folder of the modules' migrations, compiled. */
  migrations: string;
}

/** The project's own domains. */
export const REGISTERED_DOMAINS: DomainSource = {
  domains: join(BUILD, "domains"),
  migrations: join(BUILD, "migrations"),
};

/**
 * Loads the compiled program; its exports are the stack's outputs.
 *
 * @param source other domains than the project's own, for the framework's tests and benchmarks
 */
export function loadProgram(source: DomainSource = REGISTERED_DOMAINS): unknown {
  if (source !== REGISTERED_DOMAINS) {
    const path = join(BUILD, "domains", "registry.js");
    const registry = Object.assign(new Module(path), {
      exports: { loadDomains: () => loadDomainsFrom(source.domains) },
      loaded: true,
    });
    require.cache[path] = registry;
  }
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- runs the program, so not before the mocks are set
  return require(join(BUILD, "index.js"));
}

/** The configuration of a local run: the run's database, without TLS on the loopback interface. */
export function localConfig(database: LocalDatabase, secrets: SecretArns): Record<string, string> {
  return {
    databaseHost: database.host,
    databasePort: String(database.port),
    databaseName: database.name,
    databaseTls: "disable",
    moduleSecretArns: JSON.stringify(secrets.modules),
    captureSecretArn: secrets.capture,
    retentionSecretArn: secrets.retention,
    captureStartPosition: database.captureStartPosition,
    deletionProtection: "false",
    logRetentionDays: "7",
  };
}
