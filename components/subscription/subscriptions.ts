import type * as pulumi from "@pulumi/pulumi";
import type { AnyDomain, AnySubscription } from "../../runtime/define/domain";
import type { VariableName } from "../../runtime/function/handler";
import { makeProjectionHandler } from "../../runtime/projection/handler";
import { makeReactionHandler } from "../../runtime/reaction/handler";
import type { StoreOpener } from "../../runtime/store/store";
import type { Access } from "../function/access";
import type { EventBus } from "../event-bus";
import type { Routes } from "../function/routes";
import { type Used, usedByReactions } from "../function/used";
import { type ProjectionTables, writeProjection } from "./projections";
import { Subscription } from "./subscription";

/** How the reactions of a domain reach its database. */
export interface StoreAccess<V extends VariableName> {
  opener: StoreOpener<V>;
  /** What a function needs whose reactions use these tables and projections. */
  access: (uses: Used) => Access<V>;
  /** Concurrent invocations, where the database limits connections. @default the account's limit */
  maximumConcurrency?: number;
}

/** What all subscriptions of a stack share. */
export interface SubscriptionDefaults {
  bus: EventBus;
  /** What must stand before a reaction's function raises events. @default nothing */
  routes?: Routes | undefined;
  logRetentionDays: number;
  alarmTopicArn: string | undefined;
}

/** Declares a `Subscription` for each one that a domain registers; returns them by name. */
export function subscriptions<V extends VariableName>(
  domain: AnyDomain,
  projections: ProjectionTables,
  store: StoreAccess<V>,
  defaults: SubscriptionDefaults,
  opts: pulumi.ComponentResourceOptions,
): Record<string, Subscription> {
  const made = Object.entries(domain.subscriptions).map(([name, subscription]) => {
    const owner = `domain "${domain.name}", subscription "${name}"`;
    const { aggregate } = subscription;
    const { routes, ...shared } = defaults;
    const args = { ...shared, owner, source: aggregate.domain, eventTypes: eventTypesOf(subscription) };
    const logicalName = `${domain.name}-on-${name}`;
    if (subscription.kind === "project") {
      const consumer = {
        handler: makeProjectionHandler(name, subscription),
        ...writeProjection(name, projections),
      };
      return [name, new Subscription(logicalName, { ...args, ...consumer }, opts)] as const;
    }
    const consumer = {
      handler: makeReactionHandler(`${domain.name}.${name}`, subscription, store.opener),
      ...store.access(usedByReactions(subscription)),
      routes,
      ...(store.maximumConcurrency ? { maximumConcurrency: store.maximumConcurrency } : {}),
    };
    return [name, new Subscription(logicalName, { ...args, ...consumer }, opts)] as const;
  });
  return Object.fromEntries(made);
}

/**
 * A projection subscribes to all events of its aggregate, because each carries the state; reactions to those that
 * they handle.
 */
function eventTypesOf(subscription: AnySubscription): string[] {
  return Object.keys(subscription.kind === "project" ? subscription.aggregate.events : subscription.on);
}
