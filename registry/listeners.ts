import { type AnyDomain, aggregatesOf, type AnySubscription } from "../runtime/define/domain";
import type { Report } from "./fault";

/** The event types that a subscription receives: all of a projection's aggregate, and those that are reacted to. */
export function heardBy(subscription: AnySubscription): string[] {
  return Object.keys(subscription.kind === "project" ? subscription.aggregate.events : subscription.on);
}

/** The event types of a domain's contracts. */
export function eventTypesOf(domain: Pick<AnyDomain, "tables">): string[] {
  return [...new Set(aggregatesOf(domain).flatMap(({ events }) => Object.keys(events)))];
}

/** The event types of a domain that no subscription of any domain receives. */
export function unheardOf(
  domain: Pick<AnyDomain, "name" | "tables">,
  all: readonly Pick<AnyDomain, "subscriptions">[],
): string[] {
  const heard = new Set(
    all
      .flatMap(({ subscriptions }) => Object.values(subscriptions))
      .filter(({ aggregate }) => aggregate.domain === domain.name)
      .flatMap(heardBy),
  );
  return eventTypesOf(domain).filter((type) => !heard.has(type));
}

/**
 * Checks a domain that declares its unheard event types: each is a type of its contracts, and no other type is
 * without a subscription. An unheard type may get subscriptions: no other team has to edit this domain for that.
 *
 * @param sound the domains whose subscriptions can be read
 */
export function checkUnheard(domain: AnyDomain, sound: readonly AnyDomain[], report: Report): void {
  const { unheard } = domain;
  if (unheard === undefined) return;
  const types = eventTypesOf(domain);
  for (const type of unheard.filter((one) => !types.includes(one))) {
    report(
      `unheard event "${type}"`,
      "is in no contract of the domain",
      `Remove it, or name one of ${types.join(", ") || "the domain's event types (there are none)"}`,
    );
  }
  for (const type of unheardOf(domain, sound).filter((one) => !unheard.includes(one))) {
    report(
      `event "${type}"`,
      "has no subscription",
      "Subscribe to it in the domain that needs it, or add it to `unheard` if nobody needs it yet",
    );
  }
}
