import { describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, project, react, table, withKysely } from "../../dist/runtime/index.js";
import { faultsOf } from "../support/domain/domain-faults";
import { Book, book, books, buyBook, library, libraryModule, readers } from "../support/domain/sample-domain";

/** What a cast, plain JavaScript, or an import that went in a circle makes of a value. */
const cast = (value: unknown) => value as never;
const CIRCLE = "an import that goes in a circle is undefined";
const MAKE = "Write a function that makes it: `() => z.object({ ... })`.";
const { key, state } = Book;

/** Faults of the domain "library" without commands, with this in place of its own. */
const faultsWith = (changed: object) => faultsOf(library({ commands: {}, ...changed }));
const faultsWithBook = (changed: Parameters<typeof book>[0]) =>
  faultsWith({ tables: { books: table(book(changed)) } });
/** What is wrong with something that must be a function that makes an object schema, and the remedy. */
const NOT_SCHEMAS: [name: string, given: unknown, fault: string][] = [
  ["a schema instance", z.object({}), `is a schema instance, which cannot be packaged for Lambda. ${MAKE}`],
  ["undefined", undefined, `is not a function that makes a schema. ${MAKE}`],
  ["a function that makes something else", () => ({ name: "text" }), `is not a schema of zod. ${MAKE}`],
  ["a function that makes another schema", () => z.string(), `is a schema of type "string". ${MAKE}`],
  [
    "a function that throws",
    () => {
      throw new Error("z.strng is not a function");
    },
    "cannot be made: z.strng is not a function. Fix the schema.",
  ],
  [
    "a schema whose field throws when it is read",
    () =>
      z.object({
        get next(): never {
          throw new Error("Next is not defined");
        },
      }),
    "cannot be made: Next is not defined. Fix the schema.",
  ],
];

describe("A domain", () => {
  test("registers something", () => {
    expect(faultsOf(library({ tables: {}, commands: {} }))).toEqual([
      'domains/library: domain "library" registers nothing. Register a table, a subscription or a command, or delete the folder.',
    ]);
  });

  test("may register tables only, e.g. one that legacy SQL changes", () => {
    expect(faultsOf(libraryModule({ commands: {} }))).toEqual([]);
  });

  test("may register subscriptions only, e.g. a read model", () => {
    const subscriptions = { titles: project(Book, ({ title }) => ({ title })) };
    expect(faultsOf(library(), readers({ subscriptions, commands: {} }))).toEqual([]);
  });

  test("registers tables, subscriptions and commands, and nothing else, not even by mistyping", () => {
    expect(faultsWith({ events: [Book], subscription: {} })).toEqual([
      'domains/library: domain "library" registers "events", which is not known. A domain registers tables, subscriptions, commands.',
      'domains/library: domain "library" registers "subscription", which is not known. A domain registers tables, subscriptions, commands.',
    ]);
  });

  test.each([undefined, null, [], "books"])("registers each by name: not %j", (tables) => {
    expect(faultsWith({ tables })).toEqual([
      'domains/library: domain "library" registers tables that are not an object. Write `tables: { <name>: ... }`.',
    ]);
  });
});

describe("A table", () => {
  test.each([undefined, Book, buyBook, "books"])("is made by table(): not %j", (given) => {
    expect(faultsWith({ tables: { books: given } })).toEqual([
      `domains/library: table "books" is not a table. Declare it with table(<Aggregate>); ${CIRCLE}.`,
    ]);
  });

  test("is registered itself, and not with Kysely's builders", () => {
    expect(faultsOf(libraryModule({ tables: { books: cast(withKysely(books)) }, commands: {} }))).toEqual([
      'domains/library: table "books" is made by withKysely. Register the table itself; withKysely belongs under the `uses` of a command or reaction.',
    ]);
  });

  test("holds an aggregate", () => {
    expect(faultsWith({ tables: { books: table(cast(undefined)) } })).toEqual([
      `domains/library: table "books" has no aggregate. Declare it with table(<Aggregate>); ${CIRCLE}.`,
    ]);
  });

  test("names its indexes in an array, and its columns by field", () => {
    const odd = { ...books, indexes: "title", columns: { title: 5 } };
    expect(faultsWith({ tables: { books: odd } })).toEqual([
      'domains/library: table "books" has indexes that are not an array of names. Write `indexes: ["<field>"]`.',
      'domains/library: table "books" has columns that are not names. Write `columns: { <field>: "<column>" }`.',
    ]);
  });

  test.each(NOT_SCHEMAS)("has private fields that a function makes, not %s", (_name, given, fault) => {
    expect(faultsWith({ tables: { books: { ...books, private: given } } })).toEqual([
      `domains/library: the private fields of table "books" ${fault}`,
    ]);
  });
});

describe("An aggregate", () => {
  test.each([
    ["Book", "library.Book"],
    ["library.rare.Book", "library.Book"],
    [".Book", "library.Book"],
    ["library.", "library.<Aggregate>"],
    ["", "library.<Aggregate>"],
  ])('is named with its domain and one dot, unlike "%s"', (name, better) => {
    const named = aggregate(cast(name), { key, state, events: Book.events });
    expect(faultsWith({ tables: { books: table(named) } })).toEqual([
      `domains/library: aggregate "${name}" has a name that is not <domain>.<Aggregate>. Name it "${better}".`,
    ]);
  });

  test.each(NOT_SCHEMAS)("has a state that a function makes, not %s", (_name, given, fault) => {
    expect(faultsWithBook({ state: given })).toEqual([
      `domains/library: the state of aggregate "library.Book" ${fault}`,
    ]);
  });

  test("has an event type, without which nothing could be changed", () => {
    expect(faultsWithBook({ events: {} })).toEqual([
      'domains/library: aggregate "library.Book" has no events, so that nothing could be changed and no rule could match. Declare an event type.',
    ]);
  });

  test.each(NOT_SCHEMAS)("has events whose change a function makes, not %s", (_name, given, fault) => {
    const declared = aggregate("library.Book", { key, state, events: { BookSold: cast(given) } });
    const versioned = aggregate("library.Book", {
      key,
      state,
      events: { BookSold: { version: 2, change: cast(given) } },
    });
    const [one, other] = [declared, versioned].map((sold) => faultsWith({ tables: { books: table(sold) } }));
    expect(one).toEqual([expect.stringMatching(/^domains\/library: (the change of )?event "BookSold" /)]);
    expect(one?.[0]).toContain(`event "BookSold" ${fault}`);
    expect(other).toEqual([`domains/library: the change of event "BookSold" ${fault}`]);
  });

  test.each([0, -1, 1.5, "2", undefined])(
    "has events with a version that is a whole number from 1 on, not %j",
    (version) => {
      expect(faultsWithBook({ events: { BookSold: { version, change: () => z.object({}) } } })).toEqual([
        `domains/library: event "BookSold" has the version "${version}". Use a whole number from 1 on.`,
      ]);
    },
  );

  test("reads older versions of an event with a function", () => {
    expect(
      faultsWithBook({ events: { BookSold: { version: 2, change: () => z.object({}), upcast: {} } } }),
    ).toEqual([
      'domains/library: event "BookSold" has an `upcast` that is not a function. Write `upcast: (data, version) => ...`.',
    ]);
  });
});

describe("A subscription", () => {
  const subscribed = (given: unknown) =>
    faultsOf(library(), readers({ subscriptions: { titles: cast(given) } }));

  test.each([undefined, books, Book])("is a projection or reactions, not %j", (given) => {
    expect(subscribed(given)).toEqual([
      `domains/readers: subscription "titles" is neither a projection nor a reaction. Declare it with project(<Aggregate>, ...) or react(<Aggregate>, ...); ${CIRCLE}.`,
    ]);
  });

  test.each([
    project(cast(undefined), () => ({})),
    react(cast(undefined), { uses: {}, on: cast({ A: async () => [] }) }),
  ])("has an aggregate: $kind", (given) => {
    expect(subscribed(given)).toEqual([
      `domains/readers: subscription "titles" has no aggregate. Import it from the other domain's contract.ts; ${CIRCLE}.`,
    ]);
  });

  test("that projects selects fields by a function, and names indexes in an array", () => {
    expect(subscribed(project(Book, cast(["title"]), { indexes: cast("title") }))).toEqual([
      'domains/readers: subscription "titles" does not select fields by a function. Write `({ name }) => ({ name })`.',
      'domains/readers: subscription "titles" has indexes that are not an array of names. Write `indexes: ["<field>"]`.',
    ]);
  });

  test.each([undefined, {}])("that reacts has a reaction, and not only %j", (on) => {
    expect(subscribed(react(Book, { uses: {}, on: cast(on) }))).toEqual([
      'domains/readers: subscription "titles" reacts to nothing. Name an event type and its reaction under `on`.',
    ]);
  });

  test("that reacts does so by functions, and says what they use", () => {
    expect(subscribed(react(Book, { uses: cast(undefined), on: { BookLent: cast(buyBook) } }))).toEqual([
      'domains/readers: subscription "titles" does not say what it uses. Write `uses: { <table or projection> }`, or `uses: {}`.',
      'domains/readers: subscription "titles" reacts to "BookLent" with something that is not a function. Write `async (event, handles) => ...`.',
    ]);
  });
});

describe("A command", () => {
  const commanded = (given: unknown) => faultsOf(library({ commands: { lend: cast(given) } }));

  test.each([undefined, books, async () => []])("is made by command(): not %j", (given) => {
    expect(commanded(given)).toEqual([
      `domains/library: command "lend" is not a command. Declare it with command({ uses, input, handle }); ${CIRCLE}.`,
    ]);
  });

  test.each(NOT_SCHEMAS.filter(([, , fault]) => !/type "string"|Next is/.test(fault)))(
    "has an input that a function makes, not %s",
    (_name, given, fault) => {
      expect(commanded({ ...buyBook, input: given })).toEqual([
        `domains/library: the input of command "lend" ${fault}`,
      ]);
    },
  );

  test("may take any input that zod describes", () => {
    expect(commanded({ ...buyBook, input: () => z.union([z.string(), z.object({})]) })).toEqual([]);
  });

  test("has a function that handles it, and says what it uses", () => {
    expect(commanded({ ...buyBook, handle: undefined, uses: [books] })).toEqual([
      'domains/library: command "lend" does not say what it uses. Write `uses: { <table or projection> }`, or `uses: {}`.',
      'domains/library: command "lend" has no function `handle`. Write `handle: async (input, handles) => ...`.',
    ]);
  });

  test("uses tables and projections that are defined", () => {
    const uses = { books: undefined, titles: withKysely(cast(undefined)), shelves: "shelves" };
    expect(commanded({ ...buyBook, uses })).toEqual([
      `domains/library: command "lend" uses "books", which is undefined. Look at its import: ${CIRCLE}.`,
      `domains/library: command "lend" uses "titles", which is undefined. Look at its import: ${CIRCLE}.`,
      `domains/library: command "lend" uses "shelves", which is not a table or projection. Look at its import: ${CIRCLE}.`,
    ]);
  });
});
