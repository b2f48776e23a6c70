import { type AnyDomain, type AnySubscription, aggregatesOf } from "../runtime/define/domain";
import type { Uses } from "../runtime/define/handles";
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
    if (subscription.kind === "react") checkReactions(thing, subscription, report);
    else checkProjection(thing, subscription, report);
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
  const registered = aggregatesOf(source);
  if (!registered.includes(aggregate)) {
    const names = registered.map(({ name }) => name).join(", ") || "none";
    report(
      thing,
      `subscribes to "${aggregate.name}", which is in no table of the domain "${source.name}" (it has ${names})`,
      "Subscribe to one of these",
    );
  }
}

function checkReactions(
  thing: string,
  { aggregate, on }: Extract<AnySubscription, { kind: "react" }>,
  report: Report,
): void {
  const known = Object.keys(aggregate.events);
  if (Object.keys(on).length === 0) report(thing, "reacts to nothing", "Name an event type and its reaction");
  for (const type of Object.keys(on).filter((name) => !known.includes(name))) {
    report(
      thing,
      `reacts to "${type}", an event that "${aggregate.name}" does not have (it has ${known.join(", ")})`,
      "Name one of these",
    );
  }
}

/** Checks the indexes of a projection; which fields it has, only its `select` knows. */
function checkProjection(
  thing: string,
  { indexes }: Extract<AnySubscription, { kind: "project" }>,
  report: Report,
): void {
  for (const index of indexes) checkName("index", index, report);
  if (new Set(indexes).size < indexes.length) report(thing, "has an index twice", "Name each once");
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
          "Use the table itself: its verbs are the same in each store",
        );
      }
      if (registered[name] === (isKysely ? used.table : used)) continue;
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
    check(`subscription "${name}"`, subscription.uses);
  }
}
