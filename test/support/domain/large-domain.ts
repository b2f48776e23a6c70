import { z } from "zod";
import {
  aggregate,
  command,
  microservice,
  monolithModule,
  project,
  react,
  table,
} from "../../../dist/runtime/index.js";
import type { AnyDomain } from "../../../dist/runtime/define/domain.js";

/** How much a domain registers. */
export interface Size {
  /** Projections that its commands and its reaction use. @default 0 */
  projections?: number;
  /** Indexes of each projection. @default 0 */
  indexes?: number;
  /** Tables that its commands and its reaction use. @default 0 */
  tables?: number;
  /** Event types that each subscription takes. @default 1 */
  eventTypes?: number;
  /** Characters of the name of a domain (1 to 20), a subscription or a table (5 to 24). @default the longest */
  names?: { domain: number; part: number };
}

const LONGEST = { domain: 20, part: 24 };
/** A name of so many characters; names that differ in their first ones have little in common. */
const named = (index: number, length: number) =>
  `${index.toString(36)}abcdefghijklmnopqrstuvwxyz`.slice(0, length - 1);

/** A domain that registers so much, and the one that it subscribes to. */
export function largeDomain(kind: AnyDomain["kind"], size: Size): [AnyDomain, AnyDomain] {
  const { projections = 0, indexes = 0, tables = 0, eventTypes = 1, names = LONGEST } = size;
  const source = `s${"o".repeat(names.domain - 1)}`;
  const types = Array.from({ length: eventTypes }, (_, index) => `SourceSaid${index}`.padEnd(64, "X"));
  const fields = Array.from({ length: 20 }, (_, index) => `field${index}`);
  const state = () =>
    z.object({ id: z.uuid(), ...Object.fromEntries(fields.map((name) => [name, z.string()])) });
  const events = Object.fromEntries(types.map((type) => [type, () => z.object({})]));
  const Source = aggregate(`${source}.Source`, { key: "id", state, events });
  const entities = Object.fromEntries(
    Array.from({ length: tables }, (_, index) => {
      const Entity = aggregate(`${"d".repeat(names.domain)}.Entity${index}`, {
        key: "id",
        state: () => z.object({ id: z.uuid() }),
        events: { [`Made${index}`]: () => z.object({}) },
      });
      return [`t${named(index, names.part)}`, table(Entity)] as const;
    }),
  );
  const copies = Object.fromEntries(
    Array.from({ length: projections }, (_, index) => {
      const projection = project(Source, (all: Record<string, unknown>) => all, {
        indexes: fields.slice(0, indexes) as never[],
      });
      return [`p${named(index, names.part)}`, projection as never] as const;
    }),
  );
  const uses = { ...entities, ...copies } as never;
  const registration = {
    tables: entities,
    subscriptions: {
      ...copies,
      reaction: react(Source, {
        uses,
        on: Object.fromEntries(types.map((type) => [type, async () => []])) as never,
      }),
    },
    commands: { everything: command({ uses, input: () => z.object({}), handle: async () => [] }) },
  };
  const make = kind === "microservice" ? microservice : monolithModule;
  return [
    make("d".repeat(names.domain), registration),
    microservice(source, { tables: { sources: table(Source) } }),
  ];
}
