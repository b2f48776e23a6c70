import type { AnyAggregate } from "./aggregate";
import type { AnyCommand } from "./command";
import type { AnyProjection } from "./project";
import type { Reactions } from "./react";
import type { AnyTable } from "./table";

/** A subscription: a projection or reactions. */
export type AnySubscription = AnyProjection | Reactions;

/** Everything that a domain registers. */
export interface Registration {
  /** Entity tables by name. @default none */
  tables?: Record<string, AnyTable>;
  /** Projections and reactions by name. @default none */
  subscriptions?: Record<string, AnySubscription>;
  /** Commands by name. @default none */
  commands?: Record<string, AnyCommand>;
  /**
   * Event types of the domain's contracts to which nobody subscribes on purpose. When it is given, the registry
   * refuses any other event type without a subscription.
   *
   * @default any event type may be without one
   */
  unheard?: readonly string[];
}

/** A domain, whatever its store. */
export interface AnyDomain extends Required<Omit<Registration, "unheard">> {
  /**
   * "monolith-module": its tables are in the monolith's PostgreSQL database. "microservice": it has its own
   * DynamoDB tables.
   */
  kind: "monolith-module" | "microservice";
  /** The folder's name. */
  name: string;
  unheard?: readonly string[];
}

/** A domain whose tables are in the monolith's PostgreSQL database. */
export interface MonolithModule extends AnyDomain {
  kind: "monolith-module";
}

/** A domain with its own DynamoDB tables. */
export interface MicroserviceDomain extends AnyDomain {
  kind: "microservice";
}

/**
 * Registers a module of the monolith. Export it as `domain` from `domains/<name>/index.ts`.
 *
 * @param name the folder's name: lower case letters, digits and hyphens
 */
export function monolithModule(name: string, registration: Registration): MonolithModule {
  return { kind: "monolith-module", name, ...NOTHING, ...registration };
}

/**
 * Registers a microservice. Export it as `domain` from `domains/<name>/index.ts`.
 *
 * @param name the folder's name: lower case letters, digits and hyphens
 */
export function microservice(name: string, registration: Registration): MicroserviceDomain {
  return { kind: "microservice", name, ...NOTHING, ...registration };
}

const NOTHING: Required<Omit<Registration, "unheard">> = { tables: {}, subscriptions: {}, commands: {} };

/** The aggregates that a domain owns: those in its tables. */
export function aggregatesOf({ tables }: Pick<AnyDomain, "tables">): AnyAggregate[] {
  return Object.values(tables).map(({ aggregate }) => aggregate);
}
