import type { AnyAggregate, EventContract } from "../runtime/define/aggregate";
import type { AnyCommand } from "../runtime/define/command";
import type { AnyDomain, AnySubscription } from "../runtime/define/domain";
import type { AnyTable } from "../runtime/define/table";
import type { Report } from "./fault";

/**
 * Checks that everything that a domain registers is what the author's API makes. TypeScript demands the same, but a
 * cast, plain JavaScript, or an import that goes in a circle (which is undefined while the files load) can get past
 * it.
 *
 * @returns whether all of it is; the other checks rely on that
 */
export function checkDefinitions(domain: AnyDomain, report: Report): boolean {
  let isSound = true;
  const fault: Report = (thing, problem, remedy) => {
    isSound = false;
    report(thing, problem, remedy);
  };
  if (!checkParts(domain, fault)) return false;
  const aggregates = new Set<AnyAggregate>();
  for (const [name, table] of Object.entries(domain.tables)) {
    if (checkTable(`table "${name}"`, table, fault)) aggregates.add(table.aggregate);
  }
  for (const aggregate of aggregates) checkAggregate(domain, aggregate, fault);
  for (const [name, subscription] of Object.entries(domain.subscriptions))
    checkSubscription(`subscription "${name}"`, subscription, fault);
  for (const [name, command] of Object.entries(domain.commands))
    checkCommand(`command "${name}"`, command, fault);
  return isSound;
}

const PARTS = ["tables", "subscriptions", "commands"] as const;
const IN_A_CIRCLE = "an import that goes in a circle is undefined";

function checkParts(domain: AnyDomain, fault: Report): boolean {
  const thing = `domain "${domain.name}"`;
  const known: readonly string[] = ["kind", "name", ...PARTS, "unheard"];
  const unknown = Object.keys(domain).filter((part) => !known.includes(part));
  for (const part of unknown) {
    fault(thing, `registers "${part}", which is not known`, `A domain registers ${PARTS.join(", ")}`);
  }
  if (domain.unheard !== undefined && !isTexts(domain.unheard)) {
    fault(thing, "registers `unheard` that is not an array of names", 'Write `unheard: ["<Event>"]`');
  }
  const wrong = PARTS.filter((part) => !isRecord(domain[part]));
  for (const part of wrong) {
    fault(thing, `registers ${part} that are not an object`, `Write \`${part}: { <name>: ... }\``);
  }
  if (wrong.length > 0) return false;
  if (PARTS.some((part) => Object.keys(domain[part]).length > 0)) return true;
  fault(thing, "registers nothing", "Register a table, a subscription or a command, or delete the folder");
  return false;
}

function checkTable(thing: string, table: AnyTable | undefined, fault: Report): table is AnyTable {
  if (table?.kind !== "table") {
    const isKysely = (table?.kind as unknown) === "kysely-table";
    fault(
      thing,
      isKysely ? "is made by withKysely" : "is not a table",
      isKysely
        ? "Register the table itself; withKysely belongs under the `uses` of a command or reaction"
        : `Declare it with table(<Aggregate>); ${IN_A_CIRCLE}`,
    );
    return false;
  }
  checkSchema(`the private fields of ${thing}`, table.private, "object", fault);
  if (!isTexts(table.indexes))
    fault(thing, "has indexes that are not an array of names", 'Write `indexes: ["<field>"]`');
  if (!isRecord(table.columns) || !isTexts(Object.values(table.columns))) {
    fault(thing, "has columns that are not names", 'Write `columns: { <field>: "<column>" }`');
  }
  if ((table.aggregate as AnyAggregate | undefined)?.kind === "aggregate") return true;
  fault(thing, "has no aggregate", `Declare it with table(<Aggregate>); ${IN_A_CIRCLE}`);
  return false;
}

function checkAggregate({ name: domain }: AnyDomain, aggregate: AnyAggregate, fault: Report): void {
  const { name, state, events } = aggregate;
  const thing = `aggregate "${name}"`;
  if (!/^[^.]+\.[^.]+$/.test(name)) {
    const last = name.split(".").at(-1) || "<Aggregate>";
    fault(thing, "has a name that is not <domain>.<Aggregate>", `Name it "${domain}.${last}"`);
  }
  checkSchema(`the state of ${thing}`, state, "object", fault);
  if (Object.keys(events).length === 0) {
    fault(
      thing,
      "has no events, so that nothing could be changed and no rule could match",
      "Declare an event type",
    );
  }
  for (const [type, contract] of Object.entries(events)) checkEvent(`event "${type}"`, contract, fault);
}

function checkEvent(thing: string, contract: EventContract | undefined, fault: Report): void {
  if (!isRecord(contract) || isSchema(contract) || !("change" in contract)) {
    checkSchema(thing, contract, "object", fault);
    return;
  }
  checkSchema(`the change of ${thing}`, contract.change, "object", fault);
  const { version, upcast } = contract;
  if (!Number.isInteger(version) || version < 1) {
    fault(thing, `has the version "${String(version)}"`, "Use a whole number from 1 on");
  }
  if (upcast !== undefined && typeof upcast !== "function") {
    fault(thing, "has an `upcast` that is not a function", "Write `upcast: (data, version) => ...`");
  }
}

function checkSubscription(thing: string, subscription: AnySubscription | undefined, fault: Report): void {
  if (subscription?.kind !== "project" && subscription?.kind !== "react") {
    const remedy = `Declare it with project(<Aggregate>, ...) or react(<Aggregate>, ...); ${IN_A_CIRCLE}`;
    fault(thing, "is neither a projection nor a reaction", remedy);
    return;
  }
  if ((subscription.aggregate as AnyAggregate | undefined)?.kind !== "aggregate") {
    fault(thing, "has no aggregate", `Import it from the other domain's contract.ts; ${IN_A_CIRCLE}`);
  }
  if (subscription.kind === "project") {
    if (typeof subscription.select !== "function")
      fault(thing, "does not select fields by a function", "Write `({ name }) => ({ name })`");
    if (!isTexts(subscription.indexes))
      fault(thing, "has indexes that are not an array of names", 'Write `indexes: ["<field>"]`');
    return;
  }
  checkUsed(thing, subscription.uses, fault);
  if (!isRecord(subscription.on) || Object.keys(subscription.on).length === 0) {
    fault(thing, "reacts to nothing", "Name an event type and its reaction under `on`");
    return;
  }
  for (const [type, reaction] of Object.entries(subscription.on)) {
    if (typeof reaction === "function") continue;
    fault(thing, `reacts to "${type}" with something that is not a function`, REACTION_REMEDY);
  }
}

const REACTION_REMEDY = "Write `async (event, handles) => ...`";

function checkCommand(thing: string, command: AnyCommand | undefined, fault: Report): void {
  if (command?.kind !== "command") {
    fault(thing, "is not a command", `Declare it with command({ uses, input, handle }); ${IN_A_CIRCLE}`);
    return;
  }
  checkUsed(thing, command.uses, fault);
  checkSchema(`the input of ${thing}`, command.input, "any", fault);
  if (typeof command.handle !== "function")
    fault(thing, "has no function `handle`", "Write `handle: async (input, handles) => ...`");
}

function checkUsed(thing: string, uses: unknown, fault: Report): void {
  if (!isRecord(uses)) {
    fault(thing, "does not say what it uses", "Write `uses: { <table or projection> }`, or `uses: {}`");
    return;
  }
  for (const [name, used] of Object.entries(uses)) {
    const table = isRecord(used) && used.kind === "kysely-table" ? used.table : used;
    if (isRecord(table)) continue;
    const problem = table === undefined ? "undefined" : "not a table or projection";
    fault(thing, `uses "${name}", which is ${problem}`, `Look at its import: ${IN_A_CIRCLE}`);
  }
}

/** Checks that something is a function that makes a schema, by calling it. */
function checkSchema(thing: string, make: unknown, form: "object" | "any", fault: Report): void {
  const [problem, remedy] = schemaProblem(make, form) ?? [];
  if (problem && remedy) fault(thing, problem, remedy);
}

const MAKE_SCHEMA = "Write a function that makes it: `() => z.object({ ... })`";

function schemaProblem(make: unknown, form: "object" | "any"): [problem: string, remedy: string] | undefined {
  if (isSchema(make)) return ["is a schema instance, which cannot be packaged for Lambda", MAKE_SCHEMA];
  if (typeof make !== "function") return ["is not a function that makes a schema", MAKE_SCHEMA];
  try {
    const made = (make as () => unknown)();
    if (!isSchema(made)) return ["is not a schema of zod", MAKE_SCHEMA];
    if (form === "any") return undefined;
    const { type } = made._zod.def;
    if (type !== "object") return [`is a schema of type "${type}"`, MAKE_SCHEMA];
    // Fields that are declared by getters are made only when they are read.
    Object.values((made as unknown as { shape: object }).shape);
    return undefined;
  } catch (error) {
    return [`cannot be made: ${(error as Error).message}`, "Fix the schema"];
  }
}

function isSchema(value: unknown): value is { _zod: { def: { type: string } } } {
  return isRecord(value) && isRecord(value._zod);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
