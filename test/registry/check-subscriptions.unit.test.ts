import { expect, test } from "vitest";
import { z } from "zod";
import { command } from "../../dist/runtime/define/command.js";
import { aggregate } from "../../dist/runtime/define/aggregate.js";
import { project } from "../../dist/runtime/define/project.js";
import { react, reaction } from "../../dist/runtime/define/react.js";
import { faultsOf } from "../support/domain-faults";
import { Book, books, library, readers } from "../support/sample-domain";

const titles = project(Book, ({ title }) => ({ title }));
const onBought = reaction(Book, "BookBought", { uses: {}, handle: async () => [] });

test("Projections and reactions that a domain registers rightly have no fault", () => {
  const subscriptions = { titles, bought: react(Book, { BookBought: onBought }) };
  expect(faultsOf(library(), readers({ subscriptions }))).toEqual([]);
});

test("A subscription and a table of a domain have different names, since handlers use both by name", () => {
  expect(faultsOf(library({ subscriptions: { books: titles } }))).toEqual([
    'domains/library: subscription "books" has the name of a table. Give tables and subscriptions of a domain different names.',
  ]);
});

test("A subscription names an aggregate", () => {
  // What plain JavaScript, or an import that went in a circle, makes of it.
  const subscriptions = { titles: project(undefined as unknown as typeof Book, () => ({})) };
  expect(faultsOf(library(), readers({ subscriptions }))).toEqual([
    'domains/readers: subscription "titles" names no aggregate. Import the aggregate from the other domain\'s contract.',
  ]);
});

test("A subscription is to a domain that exists", () => {
  expect(faultsOf(readers({ subscriptions: { titles } }))).toEqual([
    'domains/readers: subscription "titles" subscribes to "library", a domain that does not exist (there are readers). Name an existing domain, or add its folder.',
  ]);
});

test("A subscription is to an aggregate that its domain registers", () => {
  const Journal = aggregate({ ...Book, name: "Journal" });
  const subscriptions = { journals: project(Journal, ({ title }) => ({ title })) };
  expect(faultsOf(library(), readers({ subscriptions }))).toEqual([
    'domains/readers: subscription "journals" subscribes to "Journal", which the domain "library" does not register (it registers Book). Subscribe to one of these.',
  ]);
});

test("A subscription that reacts has a reaction", () => {
  expect(faultsOf(library(), readers({ subscriptions: { nothing: react(Book, {}) } }))).toEqual([
    'domains/readers: subscription "nothing" reacts to nothing. Name an event type and its reaction.',
  ]);
});

test("A reaction is to an event that its aggregate has", () => {
  const unknown = { ...react(Book, {}), handlers: { BookStolen: onBought } };
  expect(faultsOf(library(), readers({ subscriptions: { stolen: unknown } }))).toEqual([
    'domains/readers: subscription "stolen" reacts to "BookStolen", an event that "Book" does not have (it has BookBought, BookLent). Name one of these.',
  ]);
});

test("A reaction is registered for the event that it was declared for", () => {
  const swapped = { ...react(Book, {}), handlers: { BookLent: onBought } };
  expect(faultsOf(library(), readers({ subscriptions: { lent: swapped } }))).toEqual([
    'domains/readers: subscription "lent" has a reaction to Book "BookBought" under "BookLent". Declare the reaction for the event it is registered under.',
  ]);
});

test("A command uses what its domain registers, under the name that it is registered by", () => {
  const uses = { titles, shelves: books };
  const lend = command({ uses, input: () => z.object({}), handle: async () => [] });
  expect(faultsOf(library(), readers({ subscriptions: { titles }, commands: { lend } }))).toEqual([
    'domains/readers: command "lend" uses "shelves", which the domain does not register. Use a table or projection of this domain: titles.',
  ]);
});

test("A reaction uses what its domain registers, and not another projection by the same name", () => {
  const other = project(Book, () => ({}));
  const handler = reaction(Book, "BookLent", { uses: { titles: other }, handle: async () => [] });
  const subscriptions = { titles, lent: react(Book, { BookLent: handler }) };
  expect(faultsOf(library(), readers({ subscriptions }))).toEqual([
    'domains/readers: subscription "lent", reaction to "BookLent" uses something else under the name "titles" than what is registered. Use a table or projection of this domain: titles.',
  ]);
});

test("A command uses tables and projections, and no reactions", () => {
  const bought = react(Book, { BookBought: onBought });
  // What plain JavaScript could make of it.
  const lend = command({
    uses: { bought: bought as never },
    input: () => z.object({}),
    handle: async () => [],
  });
  expect(faultsOf(library(), readers({ subscriptions: { titles, bought }, commands: { lend } }))).toEqual([
    'domains/readers: command "lend" uses "bought", which the domain does not register. Use a table or projection of this domain: titles.',
  ]);
});

test("A command of a domain without tables and projections is told that there is nothing to use", () => {
  const lend = command({ uses: { titles }, input: () => z.object({}), handle: async () => [] });
  expect(faultsOf(readers({ commands: { lend } }))).toEqual([
    'domains/readers: command "lend" uses "titles", which the domain does not register. Use a table or projection of this domain: none.',
  ]);
});
