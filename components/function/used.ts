import type { AnyCommand } from "../../runtime/define/command";
import type { AnySubscription } from "../../runtime/define/domain";
import type { Uses } from "../../runtime/define/handles";
import { handleVerbs } from "./handle-verbs";

/** What a function's handlers do with a table or projection. */
export interface Use {
  /** Read by key. */
  read: boolean;
  write: boolean;
  /** The indexes that are queried; "any" where the code does not tell which. */
  queried: ReadonlySet<string> | "any";
}

/** Table or projection -> what the function's handlers do with it. */
export type Used = Readonly<Record<string, Use>>;

/**
 * What each verb of a handle does in the database. A change is written when it is committed, whatever the verb that
 * described it.
 */
export const WORK_OF_VERB: Readonly<Record<string, "read" | "query" | "write">> = {
  find: "read",
  get: "read",
  where: "query",
  create: "write",
  update: "write",
  remove: "write",
};

interface Handler {
  uses: Uses;
  handle: (...args: never[]) => unknown;
}

const NOTHING: Use = { read: false, write: false, queried: new Set() };
const EVERYTHING: Use = { read: true, write: true, queried: "any" };

/**
 * What handlers do with each table and projection that they name under `uses`, as far as their code tells; where it
 * does not, everything. Permissions that are derived from this are never too few.
 */
export function usedBy(handlers: readonly Handler[]): Used {
  // Without a prototype: a table may be called "constructor".
  const used = Object.create(null) as Record<string, Use>;
  for (const { uses, handle } of handlers) {
    const verbs = handleVerbs(handle);
    for (const name of Object.keys(uses)) {
      const called = verbs ? (verbs.get(name) ?? new Set<string>()) : "any";
      const use = called === "any" ? EVERYTHING : [...called].map(useOf).reduce(together, NOTHING);
      used[name] = together(used[name] ?? NOTHING, use);
    }
  }
  return used;
}

/** @param verb e.g. "find", "where", "where(city)" */
function useOf(verb: string): Use {
  const [, index] = /^where\((.*)\)$/s.exec(verb) ?? [];
  if (index !== undefined) return { ...NOTHING, queried: new Set([index]) };
  const work = Object.hasOwn(WORK_OF_VERB, verb) ? WORK_OF_VERB[verb] : undefined;
  if (work === undefined) return EVERYTHING;
  return { read: work === "read", write: work === "write", queried: work === "query" ? "any" : new Set() };
}

function together(one: Use, other: Use): Use {
  const queried =
    one.queried === "any" || other.queried === "any" ? "any" : new Set([...one.queried, ...other.queried]);
  return { read: one.read || other.read, write: one.write || other.write, queried };
}

/** What a domain's commands use. */
export function usedByCommands(commands: Readonly<Record<string, AnyCommand>>): Used {
  return usedBy(Object.values(commands));
}

/** What the reactions of a subscription use. */
export function usedByReactions({ uses, on }: Extract<AnySubscription, { kind: "react" }>): Used {
  return usedBy(Object.values(on).map((handle) => ({ uses, handle })));
}

/** Those of a table's or projection's indexes that are queried. */
export function queriedIndexes(use: Use | undefined, indexes: readonly string[]): readonly string[] {
  if (!use) return [];
  const { queried } = use;
  return queried === "any" ? indexes : indexes.filter((index) => queried.has(index));
}
