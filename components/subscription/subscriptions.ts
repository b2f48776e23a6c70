import type * as pulumi from "@pulumi/pulumi";
import type { AnyDomain, AnySubscription } from "../../runtime/define/domain";
import type { VariableName } from "../../runtime/function/handler";
import { makeProjectionHandler } from "../../runtime/projection/handler";
import { makeReactionHandler } from "../../runtime/reaction/handler";
import type { StoreOpener } from "../../runtime/store/store";
import type { Access } from "../function/access";
import type { EventBus } from "../event-bus";
import { type Used, usedByReactions } from "../function/used";
import { type ProjectionTables, writeProjection } from "./projections";
import { Subscription } from "./subscription";

/** How the reactions of a domain reach its database. */
export interface StoreAccess<V extends VariableName> {
  opener: StoreOpener<V>;
  /** What a function needs whose reactions use these tables and projections. */
  access: (uses: Used) => Access<V>;
  /** The relay of its events: it must know an event type before a reaction raises it. */
  relay: pulumi.Resource;
  /** Concurrent invocations, where the database limits connections. @default the account's limit */
  maximumConcurrency?: number;
}

/** What all subscriptions of a stack share. */
export interface SubscriptionDefaults {
  bus: EventBus;
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
    const args = { ...defaults, owner, source: aggregate.domain, eventTypes: eventTypesOf(subscription) };
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
      after: [store.relay],
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
