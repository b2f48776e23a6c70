import { type AnyDomain, type AnySubscription, aggregatesOf } from "../runtime/define/domain";
import type { Uses } from "../runtime/define/handles";
import { checkIndexes } from "./check-tables";
import type { Report } from "./fault";
import { checkName } from "./names";

/**
 * Checks what a domain subscribes to.
 *
 * @param all every domain there is
 * @param sound those of them whose aggregates can be read
 */
export function checkSubscriptions(
  domain: AnyDomain,
  all: readonly AnyDomain[],
  sound: readonly AnyDomain[],
  report: Report,
): void {
  for (const [name, subscription] of Object.entries(domain.subscriptions)) {
    checkName("subscription", name, report);
    const thing = `subscription "${name}"`;
    if (Object.hasOwn(domain.tables, name)) {
      report(thing, "has the name of a table", "Give tables and subscriptions of a domain different names");
    }
    const { aggregate } = subscription;
    const source = sound.find((one) => one.name === aggregate.domain);
    if (source) checkSource(thing, subscription, source, report);
    else if (!all.some((one) => one.name === aggregate.domain)) {
      const existing = all.map((one) => one.name).join(", ");
      report(
        thing,
        `subscribes to "${aggregate.name}", but there is no domain "${aggregate.domain}" (there are ${existing})`,
        "Name an existing domain, or add its folder",
      );
    }
    if (subscription.kind === "react") checkReactions(thing, subscription, report);
    // Which fields a projection has, only its `select` knows; that its indexes are among them, the types check.
    else checkIndexes(thing, subscription.indexes, report);
  }
}

function checkSource(thing: string, { aggregate }: AnySubscription, source: AnyDomain, report: Report): void {
  const registered = aggregatesOf(source);
  if (registered.includes(aggregate)) return;
  const names = registered.map(({ name }) => name).join(", ");
  report(
    thing,
    `subscribes to "${aggregate.name}", which is in no table of the domain "${source.name}"`,
    names ? `Subscribe to one of ${names}` : `Register a table of it in the domain "${source.name}"`,
  );
}

function checkReactions(
  thing: string,
  { aggregate, on }: Extract<AnySubscription, { kind: "react" }>,
  report: Report,
): void {
  const known = Object.keys(aggregate.events);
  for (const type of Object.keys(on).filter((name) => !known.includes(name))) {
    report(
      thing,
      `reacts to "${type}", an event that "${aggregate.name}" does not have`,
      `Name one of ${known.join(", ")}`,
    );
  }
}

/** Checks that commands and reactions use what the domain registers, under the names it registers it by. */
export function checkUses(domain: AnyDomain, report: Report): void {
  const projections = Object.entries(domain.subscriptions).filter(([, { kind }]) => kind === "project");
  const registered: Record<string, unknown> = { ...Object.fromEntries(projections), ...domain.tables };
  const check = (thing: string, uses: Uses) => {
    for (const [name, used] of Object.entries(uses)) {
      const isKysely = used.kind === "kysely-table";
      if (isKysely && domain.kind === "microservice") {
        report(
          thing,
          `uses "${name}" with Kysely, but a microservice has no PostgreSQL tables`,
          "Use the table itself: its verbs are the same in both stores",
        );
      }
      checkRegistered(thing, name, isKysely ? used.table : used, registered, report);
    }
  };
  for (const [name, command] of Object.entries(domain.commands)) {
    checkName("command", name, report);
    check(`command "${name}"`, command.uses);
  }
  for (const [name, subscription] of Object.entries(domain.subscriptions)) {
    if (subscription.kind === "react") check(`subscription "${name}"`, subscription.uses);
  }
}

function checkRegistered(
  thing: string,
  name: string,
  used: unknown,
  registered: Record<string, unknown>,
  report: Report,
): void {
  if (Object.hasOwn(registered, name) && registered[name] === used) return;
  const names = Object.keys(registered);
  const itsName = names.find((one) => registered[one] === used);
  if (itsName !== undefined) {
    const remedy = `Use it as \`${itsName}\`: handlers find tables and projections by the registered name`;
    report(thing, `uses "${itsName}" under the name "${name}"`, remedy);
    return;
  }
  const problem = Object.hasOwn(registered, name)
    ? `uses something else under the name "${name}" than the domain registers`
    : `uses "${name}", which the domain does not register`;
  const remedy = names.length > 0 ? `Use one of ${names.join(", ")}, or register it` : "Register it";
  report(thing, problem, `${remedy} under \`tables\` or \`subscriptions\``);
}
