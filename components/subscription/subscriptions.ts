import type * as pulumi from "@pulumi/pulumi";
import type { AnyDomain } from "../../runtime/define/domain";
import { makeProjectionHandler } from "../../runtime/projection/handler";
import { makeReactionHandler } from "../../runtime/reaction/handler";
import type { Store } from "../../runtime/store/store";
import type { AnySubscription } from "../../runtime/define/subscription";
import type { Access } from "../function/access";
import type { EventBus } from "../event-bus";
import { type ProjectionTables, writeProjection } from "./projections";
import { Subscription } from "./subscription";

/** How the reactions of a domain reach its database. */
export interface StoreAccess {
  /** Opens the database inside the function. */
  makeStore: () => Store;
  /** What that takes, for reactions that use these tables and projections. */
  access: (uses: readonly string[]) => Access;
  /** Invocations at a time, where the database bears only so many connections. */
  maximumConcurrency?: number;
}

/** What every subscription of a stack shares. */
export interface SubscriptionDefaults {
  bus: EventBus;
  logRetentionDays: number;
  alarmTopicArn: string | undefined;
}

/** Makes a `Subscription` for each one that a domain registers; returns them by name. */
export function subscriptions(
  domain: AnyDomain,
  projections: ProjectionTables,
  store: StoreAccess,
  defaults: SubscriptionDefaults,
  opts: pulumi.ComponentResourceOptions,
): Record<string, Subscription> {
  const made = Object.entries(domain.subscriptions).map(([name, subscription]) => {
    const owner = `domain "${domain.name}", subscription "${name}"`;
    const { aggregate } = subscription;
    const args = { ...defaults, owner, source: aggregate.domain, eventTypes: eventTypesOf(subscription) };
    const consumer = consumerOf(domain, name, subscription, projections, store);
    return [name, new Subscription(`${domain.name}-on-${name}`, { ...args, ...consumer }, opts)] as const;
  });
  return Object.fromEntries(made);
}

/** A projection takes all events of its aggregate, since each carries its state; a reaction those that it handles. */
function eventTypesOf(subscription: AnySubscription): string[] {
  return Object.keys(subscription.kind === "project" ? subscription.aggregate.events : subscription.handlers);
}

function consumerOf(
  domain: AnyDomain,
  name: string,
  subscription: AnySubscription,
  projections: ProjectionTables,
  store: StoreAccess,
) {
  if (subscription.kind === "project") {
    return {
      callbackFactory: makeProjectionHandler(name, subscription),
      ...writeProjection(name, projections),
    };
  }
  const uses = Object.values(subscription.handlers).flatMap((handler) => Object.keys(handler.uses));
  return {
    callbackFactory: makeReactionHandler(`${domain.name}.${name}`, subscription, store.makeStore),
    ...store.access(uses),
    ...(store.maximumConcurrency ? { maximumConcurrency: store.maximumConcurrency } : {}),
  };
}
