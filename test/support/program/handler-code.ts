/**
 * What the words in the code of a function's handlers say of its permissions, whatever else the code does. It judges
 * the components and shares nothing with them.
 */
import type { AnyDomain } from "../../../dist/runtime/define/domain.js";
import type { ShortStatement } from "./policy-statements";

interface Handler {
  uses: string[];
  text: string;
}

/** Function -> its handlers, of a domain's commands and reactions. */
export function handlersOf({ name, commands, subscriptions }: AnyDomain): Record<string, Handler[]> {
  const reactions = Object.entries(subscriptions).flatMap(([subscription, one]) =>
    one.kind === "react"
      ? [
          [
            `${name}-on-${subscription}`,
            Object.values(one.on).map((code) => handler(one.uses, code)),
          ] as const,
        ]
      : [],
  );
  const commanded = Object.values(commands).map(({ uses, handle }) => handler(uses, handle));
  return { [`${name}-commands`]: commanded, ...Object.fromEntries(reactions) };
}

function handler(uses: object, code: (...args: never[]) => unknown): Handler {
  return { uses: Object.keys(uses), text: String(code) };
}

const VERBS: Readonly<Record<string, readonly string[]>> = {
  GetItem: ["find", "get"],
  Query: ["where"],
  PutItem: ["create", "update", "remove"],
};

/** The calls of a table's or projection's handle, e.g. `orders.find(`, that a function has no permission for. */
export function missingPermissions(
  handlers: readonly Handler[],
  statements: readonly ShortStatement[],
  tableOf: (name: string) => string | undefined,
): string[] {
  const granted = (action: string, table: string) =>
    statements.some(
      ({ Action, Resource }) =>
        Action.includes(`dynamodb:${action}`) &&
        Resource.some((one) => one === `dynamodb:${table}` || one.startsWith(`dynamodb:${table}/index/`)),
    );
  return handlers.flatMap(({ uses, text }) =>
    uses.flatMap((name) => {
      const table = tableOf(name);
      if (table === undefined) return [];
      return Object.entries(VERBS).flatMap(([action, verbs]) =>
        verbs
          .filter(
            (verb) => new RegExp(`\\b${name}\\s*\\.\\s*${verb}\\s*\\(`).test(text) && !granted(action, table),
          )
          .map((verb) => `${name}.${verb}`),
      );
    }),
  );
}

/**
 * The statements for whose actions no handler has so much as the word, or that name a table or an index that no
 * handler's code names.
 */
export function needlessStatements(
  handlers: readonly Handler[],
  statements: readonly ShortStatement[],
): string[] {
  const code = handlers.map(({ text }) => text).join("\n");
  const has = (word: string) => new RegExp(`\\b${word}\\b`).test(code);
  // A handler that passes its handles on may call anything.
  if (handlers.some(({ uses, text }) => uses.some((name) => passesOn(text, name)))) return [];
  return statements
    .filter(({ Sid }) =>
      ["ReadEntities", "QueryIndexes", "ReadProjections", "QueryProjections"].includes(Sid),
    )
    .flatMap(({ Sid, Action, Resource }) => {
      const [action = ""] = Action.map((one) => one.replace("dynamodb:", ""));
      if (!VERBS[action]?.some(has)) return [Sid];
      return Resource.filter((one) => {
        const index = /\/index\/(.*)$/.exec(one)?.[1];
        return index !== undefined && !has(index);
      });
    });
}

/** Whether a name occurs in code other than as `name.` or in the parameters. */
function passesOn(text: string, name: string): boolean {
  const [, body = ""] = /^[^]*?\{[^]*?\}\s*\)\s*(?:=>)?([^]*)$/.exec(text) ?? [];
  return new RegExp(`(?<!\\.)\\b${name}\\b(?!\\s*\\??\\.)`).test(body);
}
