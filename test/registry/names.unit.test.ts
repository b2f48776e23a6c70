import { expect, test } from "vitest";
import { z } from "zod";
import { aggregate } from "../../dist/runtime/define/aggregate.js";
import { entityTable } from "../../dist/runtime/define/table.js";
import { project } from "../../dist/runtime/define/project.js";
import { faultsOf } from "../support/domain-faults";
import { Book, bookRows, books, buyBook, library, libraryModule, readers } from "../support/sample-domain";

const titles = project(Book, ({ title }) => ({ title }));

test("A domain's name is made of lower case letters, digits and hyphens", () => {
  expect(faultsOf(readers({ name: "Book_readers" }))).toEqual([
    'domains/Book_readers: domain "Book_readers" has a name with characters that cannot be used. Use lower case letters, digits and hyphens, first a letter.',
  ]);
});

test("A domain's name is short enough for the names that are made of it", () => {
  expect(faultsOf(readers({ name: "a".repeat(20) }))).toEqual([]);
  expect(faultsOf(readers({ name: "a".repeat(21) }))).toEqual([
    `domains/${"a".repeat(21)}: domain "${"a".repeat(21)}" has a name of 21 characters; the limit is 20. Choose a shorter name.`,
  ]);
});

test.each(["monolith", "events"])("A domain cannot be named %s, as the stack's own resources are", (name) => {
  expect(faultsOf(readers({ name }))).toEqual([
    `domains/${name}: domain "${name}" has a name that the stack uses itself. Choose another name.`,
  ]);
});

test.each(["commands", "relay"])(
  "A subscription cannot be named %s, as a function of a domain whose name ends in -on would be",
  (name) => {
    expect(faultsOf(library(), readers({ subscriptions: { [name]: titles } }))).toEqual([
      `domains/readers: subscription "${name}" has a name that the stack uses itself. Choose another name.`,
    ]);
  },
);

test("A subscription is named in camelCase, with 24 characters at most", () => {
  const subscriptions = { "new-books": titles, ["b".repeat(24)]: titles, ["b".repeat(25)]: titles };
  expect(faultsOf(library(), readers({ subscriptions }))).toEqual([
    'domains/readers: subscription "new-books" has a name with characters that cannot be used. Use camelCase letters and digits.',
    `domains/readers: subscription "${"b".repeat(25)}" has a name of 25 characters; the limit is 24. Choose a shorter name.`,
  ]);
});

test("A table is named in lower case letters, digits and underscores, with 32 characters at most", () => {
  expect(faultsOf(library({ tables: { bookTable: books }, commands: {} }))).toEqual([
    'domains/library: table "bookTable" has a name with characters that cannot be used. Use lower case letters, digits and underscores.',
  ]);
  expect(faultsOf(library({ tables: { ["b".repeat(33)]: books }, commands: {} }))).toEqual([
    `domains/library: table "${"b".repeat(33)}" has a name of 33 characters; the limit is 32. Choose a shorter name.`,
  ]);
});

test("A command is named in camelCase, with 64 characters at most", () => {
  expect(faultsOf(library({ commands: { BuyBook: buyBook, ["b".repeat(65)]: buyBook } }))).toEqual([
    'domains/library: command "BuyBook" has a name with characters that cannot be used. Use camelCase letters and digits.',
    `domains/library: command "${"b".repeat(65)}" has a name of 65 characters; the limit is 64. Choose a shorter name.`,
  ]);
});

test("An aggregate and its events are named in PascalCase, since the envelope separates names with dots and colons", () => {
  const odd = aggregate({
    ...Book,
    name: "rare.Book",
    events: { "book:sold": { version: 1, change: () => z.object({}) } },
  });
  expect(faultsOf(library({ tables: { books: entityTable(odd) }, events: [odd], commands: {} }))).toEqual([
    'domains/library: aggregate "rare.Book" has a name with characters that cannot be used. Use PascalCase letters and digits.',
    'domains/library: event "book:sold" has a name with characters that cannot be used. Use PascalCase letters and digits.',
  ]);
});

test("Names of aggregates and events are limited to 64 and 128 characters", () => {
  const [name, type] = ["A".repeat(65), "E".repeat(129)];
  const long = aggregate({ ...Book, name, events: { [type]: { version: 1, change: () => z.object({}) } } });
  expect(faultsOf(library({ tables: { books: entityTable(long) }, events: [long], commands: {} }))).toEqual([
    `domains/library: aggregate "${name}" has a name of 65 characters; the limit is 64. Choose a shorter name.`,
    `domains/library: event "${type}" has a name of 129 characters; the limit is 128. Choose a shorter name.`,
  ]);
});

test("A column is named as PostgreSQL names one without quotes, private columns too", () => {
  const table = {
    ...bookRows,
    columns: { bookId: "book_id", title: "Title" },
    private: () => z.object({ shelfNo: z.int() }),
  };
  expect(faultsOf(libraryModule({ tables: { books: table } }))).toEqual([
    'domains/library: column "Title" has a name with characters that cannot be used. Use lower case letters, digits and underscores.',
    'domains/library: column "shelfNo" has a name with characters that cannot be used. Use lower case letters, digits and underscores.',
  ]);
});

test("An index is named like its field, which DynamoDB takes from three characters on", () => {
  const table = entityTable(Book, { private: () => z.object({ at: z.string() }), indexes: ["at"] });
  expect(faultsOf(library({ tables: { books: table }, commands: {} }))).toEqual([
    'domains/library: index "at" has a name with characters that cannot be used. Use 3 or more letters, digits, _, . and -.',
  ]);
});
