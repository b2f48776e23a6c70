import type { AnyDomain } from "../runtime/define/domain";
import type { Uses } from "../runtime/define/handles";
import type { AnySubscription } from "../runtime/define/subscription";
import type { Report } from "./fault";
import { checkName } from "./names";

/** Checks what a domain subscribes to, against all domains there are. */
export function checkSubscriptions(domain: AnyDomain, all: readonly AnyDomain[], report: Report): void {
  for (const [name, subscription] of Object.entries(domain.subscriptions)) {
    checkName("subscription", name, report);
    const thing = `subscription "${name}"`;
    if (Object.hasOwn(domain.tables, name)) {
      report(thing, "has the name of a table", "Give tables and subscriptions of a domain different names");
    }
    if (!subscription.aggregate) {
      report(thing, "names no aggregate", "Import the aggregate from the other domain's contract");
      continue;
    }
    checkSource(thing, subscription, all, report);
    if (subscription.kind === "react") checkHandlers(thing, subscription, report);
  }
}

function checkSource(
  thing: string,
  subscription: AnySubscription,
  all: readonly AnyDomain[],
  report: Report,
): void {
  const { aggregate } = subscription;
  const source = all.find(({ name }) => name === aggregate.domain);
  if (!source) {
    report(
      thing,
      `subscribes to "${aggregate.domain}", a domain that does not exist (there are ${all.map(({ name }) => name).join(", ")})`,
      "Name an existing domain, or add its folder",
    );
    return;
  }
  if (!source.events.includes(aggregate)) {
    const names = source.events.map(({ name }) => name).join(", ") || "none";
    report(
      thing,
      `subscribes to "${aggregate.name}", which the domain "${source.name}" does not register (it registers ${names})`,
      "Subscribe to one of these",
    );
  }
}

function checkHandlers(
  thing: string,
  subscription: Extract<AnySubscription, { kind: "react" }>,
  report: Report,
): void {
  const { aggregate, handlers } = subscription;
  const known = Object.keys(aggregate.events);
  if (Object.keys(handlers).length === 0)
    report(thing, "reacts to nothing", "Name an event type and its reaction");
  for (const [type, handler] of Object.entries(handlers)) {
    if (!known.includes(type)) {
      report(
        thing,
        `reacts to "${type}", an event that "${aggregate.name}" does not have (it has ${known.join(", ")})`,
        "Name one of these",
      );
    } else if (handler.type !== type || handler.aggregate !== aggregate) {
      report(
        thing,
        `has a reaction to ${handler.aggregate.name} "${handler.type}" under "${type}"`,
        "Declare the reaction for the event it is registered under",
      );
    }
  }
}

/** Checks that commands and reactions use what the domain registers, under the names it registers it by. */
export function checkUses(domain: AnyDomain, report: Report): void {
  const projections = Object.entries(domain.subscriptions).filter(([, { kind }]) => kind === "project");
  const registered: Record<string, unknown> = { ...Object.fromEntries(projections), ...domain.tables };
  const check = (thing: string, uses: Uses) => {
    for (const [name, used] of Object.entries(uses)) {
      if (registered[name] === used) continue;
      const problem = Object.hasOwn(registered, name)
        ? `uses something else under the name "${name}" than what is registered`
        : `uses "${name}", which the domain does not register`;
      report(
        thing,
        problem,
        `Use a table or projection of this domain: ${Object.keys(registered).join(", ") || "none"}`,
      );
    }
  };
  for (const [name, command] of Object.entries(domain.commands)) {
    checkName("command", name, report);
    check(`command "${name}"`, command.uses);
  }
  for (const [name, subscription] of Object.entries(domain.subscriptions)) {
    if (subscription.kind !== "react") continue;
    for (const [type, handler] of Object.entries(subscription.handlers)) {
      check(`subscription "${name}", reaction to "${type}"`, handler.uses);
    }
  }
}
