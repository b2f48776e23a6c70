import type { AnyAggregate } from "./aggregate";
import type { AnyCommand } from "./command";
import type { AnyDynamoTable, AnyPostgresTable } from "./table";
import type { AnySubscription } from "./subscription";

/** What every domain registers. */
interface Registration<T> {
  /** The folder's name: lower case letters, digits and hyphens. */
  name: string;
  /** Entity tables by name. */
  tables: Record<string, T>;
  /** The aggregates whose events this domain raises. */
  events: AnyAggregate[];
  /** Projections and reactions by name. */
  subscriptions: Record<string, AnySubscription>;
  /** Requests that change the domain, by name. */
  commands: Record<string, AnyCommand>;
}

/** A domain that lives in the monolith's PostgreSQL database. */
export interface MonolithModule extends Registration<AnyPostgresTable> {
  kind: "monolith-module";
}

/** A domain with DynamoDB tables of its own. */
export interface MicroserviceDomain extends Registration<AnyDynamoTable> {
  kind: "microservice";
}

/** A domain of either kind. */
export type AnyDomain = MonolithModule | MicroserviceDomain;

/** Registers a module of the monolith: export it as `domain` from `domains/<name>/index.ts`. */
export function monolithModule(registration: Registration<AnyPostgresTable>): MonolithModule {
  return { kind: "monolith-module", ...registration };
}

/** Registers a microservice: export it as `domain` from `domains/<name>/index.ts`. */
export function microservice(registration: Registration<AnyDynamoTable>): MicroserviceDomain {
  return { kind: "microservice", ...registration };
}
