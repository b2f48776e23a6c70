import { describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, command, project, react, withKysely } from "../../dist/runtime/index.js";
import type { Uses } from "../../dist/runtime/define/handles.js";
import { faultsOf } from "../support/domain/domain-faults";
import { Book, books, library, libraryModule, readers } from "../support/domain/sample-domain";

const titles = project(Book, ({ title }) => ({ title }));
const bought = react(Book, { uses: {}, on: { BookBought: async () => [] } });
const using = (uses: Uses) => command({ uses, input: () => z.object({}), handle: async () => [] });

test("Projections and reactions that a domain registers rightly have no fault", () => {
  const indexed = project(Book, ({ title }) => ({ title }), { indexes: ["title"] });
  const subscriptions = { titles, indexed, bought };
  expect(faultsOf(library(), readers({ subscriptions }))).toEqual([]);
  expect(faultsOf(library({ subscriptions: { bought } }))).toEqual([]);
});

describe("A subscription", () => {
  test("and a table of a domain have different names, since handlers use both by name", () => {
    expect(faultsOf(library({ subscriptions: { books: titles }, commands: {} }))).toEqual([
      'domains/library: subscription "books" has the name of a table. Give tables and subscriptions of a domain different names.',
    ]);
  });

  test("is to a domain that exists", () => {
    expect(faultsOf(readers({ subscriptions: { titles } }))).toEqual([
      'domains/readers: subscription "titles" subscribes to "library.Book", but there is no domain "library" (there are readers). Name an existing domain, or add its folder.',
    ]);
  });

  test("is to an aggregate that its domain keeps in a table", () => {
    const { key, state } = Book;
    const Journal = aggregate("library.Journal", {
      key,
      state,
      events: { JournalBound: () => z.object({}) },
    });
    const subscriptions = { journals: project(Journal, ({ title }) => ({ title })) };
    expect(faultsOf(library(), readers({ subscriptions }))).toEqual([
      'domains/readers: subscription "journals" subscribes to "library.Journal", which is in no table of the domain "library". Subscribe to one of library.Book.',
    ]);
    expect(faultsOf(readers({ name: "library" }), readers({ subscriptions }))).toEqual([
      'domains/readers: subscription "journals" subscribes to "library.Journal", which is in no table of the domain "library". Register a table of it in the domain "library".',
    ]);
  });

  test("to a domain with faults of its own has none for it", () => {
    const broken = library({ tables: { books: undefined as never }, commands: {} });
    expect(faultsOf(broken, readers({ subscriptions: { titles } }))).toEqual([
      expect.stringMatching(/^domains\/library: table "books" is not a table\./),
    ]);
  });
});

test("A reaction is to an event that its aggregate has", () => {
  const stolen = { ...bought, on: { BookStolen: async () => [] } };
  expect(faultsOf(library(), readers({ subscriptions: { stolen } }))).toEqual([
    'domains/readers: subscription "stolen" reacts to "BookStolen", an event that "library.Book" does not have. Name one of BookBought, BookLent.',
  ]);
});

describe("An index of a projection", () => {
  const indexed = (indexes: string[]) => readers({ subscriptions: { titles: { ...titles, indexes } } });

  test("is named once", () => {
    expect(faultsOf(library(), indexed(["title", "title"]))).toEqual([
      'domains/readers: subscription "titles" has the index "title" twice. Name each index once.',
    ]);
  });

  test("has a name that DynamoDB takes", () => {
    expect(faultsOf(library(), indexed(["at"]))).toEqual([
      'domains/readers: index "at" has a name with characters that cannot be used. Use 3 or more letters, digits, _, . and -.',
    ]);
  });

  test("is one of 20 at most", () => {
    const names = Array.from({ length: 21 }, (_, number) => `field${number}`);
    expect(faultsOf(library(), indexed(names.slice(1)))).toEqual([]);
    expect(faultsOf(library(), indexed(names))).toEqual([
      'domains/readers: subscription "titles" has 21 indexes; the limit is 20. Remove those that no handler reads by.',
    ]);
  });
});

describe("Under `uses`", () => {
  const REACTING = { on: { BookLent: async () => [] } };

  test("a command names what its domain registers", () => {
    const lend = using({ titles, shelves: books });
    expect(faultsOf(library(), readers({ subscriptions: { titles }, commands: { lend } }))).toEqual([
      'domains/readers: command "lend" uses "shelves", which the domain does not register. Use one of titles, or register it under `tables` or `subscriptions`.',
    ]);
  });

  test("a command of a domain without tables and projections learns where to register what it uses", () => {
    expect(faultsOf(library(), readers({ commands: { lend: using({ titles }) } }))).toEqual([
      'domains/readers: command "lend" uses "titles", which the domain does not register. Register it under `tables` or `subscriptions`.',
    ]);
  });

  test("a command names a table by the name that it is registered by", () => {
    const commands = { lend: using({ shelves: books }) };
    const fault =
      'domains/library: command "lend" uses "books" under the name "shelves". Use it as `books`: handlers find tables and projections by the registered name.';
    expect(faultsOf(library({ commands }))).toEqual([fault]);
    expect(faultsOf(libraryModule({ commands: { lend: using({ shelves: withKysely(books) }) } }))).toEqual([
      fault,
    ]);
  });

  test("a reaction names what its domain registers, and not another projection by the same name", () => {
    const other = project(Book, () => ({}));
    const lent = react(Book, { uses: { titles: other }, ...REACTING });
    expect(faultsOf(library(), readers({ subscriptions: { titles, lent } }))).toEqual([
      'domains/readers: subscription "lent" uses something else under the name "titles" than the domain registers. Use one of titles, or register it under `tables` or `subscriptions`.',
    ]);
  });

  test("a command names tables and projections, and no reactions", () => {
    // What a cast could make of it.
    const lend = using({ bought: bought as never });
    expect(faultsOf(library(), readers({ subscriptions: { titles, bought }, commands: { lend } }))).toEqual([
      'domains/readers: command "lend" uses "bought", which the domain does not register. Use one of titles, or register it under `tables` or `subscriptions`.',
    ]);
  });

  test("a module may use its tables with Kysely, in commands and reactions; a microservice has no such tables", () => {
    const uses = { books: withKysely(books) };
    const registered = {
      commands: { lend: using(uses) },
      subscriptions: { lent: react(Book, { uses, ...REACTING }) },
    };
    expect(faultsOf(libraryModule(registered))).toEqual([]);
    expect(faultsOf(library(registered))).toEqual([
      'domains/library: command "lend" uses "books" with Kysely, but a microservice has no PostgreSQL tables. Use the table itself: its verbs are the same in both stores.',
      'domains/library: subscription "lent" uses "books" with Kysely, but a microservice has no PostgreSQL tables. Use the table itself: its verbs are the same in both stores.',
    ]);
  });

  test("a name of JavaScript's own objects is not one that the domain registers", () => {
    const lend = using({ constructor: books });
    expect(faultsOf(readers({ commands: { lend } }))).toEqual([
      'domains/readers: command "lend" uses "constructor", which the domain does not register. Register it under `tables` or `subscriptions`.',
    ]);
  });
});
