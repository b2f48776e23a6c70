import { expect, test } from "vitest";
import { z } from "zod";
import { aggregate, project, table } from "../../dist/runtime/index.js";
import { faultsOf } from "../support/domain/domain-faults";
import { Book, books, buyBook, library, libraryModule, readers } from "../support/domain/sample-domain";

const titles = project(Book, ({ title }) => ({ title }));
const { key, state } = Book;

test("A domain's name is made of lower case letters, digits and hyphens", () => {
  expect(faultsOf(readers({ name: "Book_readers" }))).toEqual([
    'domains/Book_readers: domain "Book_readers" has a name with characters that cannot be used. Use lower case letters, digits and hyphens, starting with a letter.',
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
    `domains/${name}: domain "${name}" has a name that the stack reserves. Choose another name.`,
  ]);
});

test.each(["commands", "relay"])(
  "A subscription cannot be named %s, as a function of a domain whose name ends in -on would be",
  (name) => {
    expect(faultsOf(library(), readers({ subscriptions: { [name]: titles } }))).toEqual([
      `domains/readers: subscription "${name}" has a name that the stack reserves. Choose another name.`,
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
  const odd = aggregate("library.rare-Book", { key, state, events: { "book:sold": () => z.object({}) } });
  expect(faultsOf(library({ tables: { books: table(odd) }, commands: {} }))).toEqual([
    'domains/library: aggregate "rare-Book" has a name with characters that cannot be used. Use PascalCase letters and digits.',
    'domains/library: event "book:sold" has a name with characters that cannot be used. Use PascalCase letters and digits.',
  ]);
});

test("Names of aggregates and events are limited to 64 and 128 characters", () => {
  const [name, type] = ["A".repeat(65), "E".repeat(129)];
  const long = aggregate(`library.${name}`, { key, state, events: { [type]: () => z.object({}) } });
  expect(faultsOf(library({ tables: { books: table(long) }, commands: {} }))).toEqual([
    `domains/library: aggregate "${name}" has a name of 65 characters; the limit is 64. Choose a shorter name.`,
    `domains/library: event "${type}" has a name of 129 characters; the limit is 128. Choose a shorter name.`,
  ]);
});

test("A column is named as PostgreSQL names one without quotes, whether it is mapped or made from the field", () => {
  const mapped = table(Book, {
    columns: { title: "Title" },
    private: () => z.object({ "shelf no": z.int() }),
  });
  expect(faultsOf(libraryModule({ tables: { books: mapped }, commands: {} }))).toEqual([
    'domains/library: column "Title" has a name with characters that cannot be used. Use lower case letters, digits and underscores.',
    'domains/library: column "shelf no" has a name with characters that cannot be used. Use lower case letters, digits and underscores.',
  ]);
});

test("An index is named like its field, which DynamoDB takes from three characters on", () => {
  const short = table(Book, { private: () => z.object({ at: z.string() }), indexes: ["at"] });
  expect(faultsOf(library({ tables: { books: short }, commands: {} }))).toEqual([
    'domains/library: index "at" has a name with characters that cannot be used. Use 3 or more letters, digits, _, . and -.',
  ]);
});

test("An index is named with 252 characters at most, since a projection indexes the attribute by_<field>", () => {
  const [longest, longer] = ["i".repeat(252), "j".repeat(253)];
  const fields = { [longest]: z.string(), [longer]: z.string() };
  const long = table(Book, { private: () => z.object(fields), indexes: [longest, longer] });
  expect(faultsOf(library({ tables: { books: long }, commands: {} }))).toEqual([
    `domains/library: index "${longer}" has a name of 253 characters; the limit is 252. Choose a shorter name.`,
  ]);
});

test("The field that is an aggregate's key has a name that DynamoDB takes for a table's key", () => {
  const keyed = (name: string) => {
    const Keyed = aggregate("library.Keyed", {
      key: name,
      state: () => z.object({ [name]: z.string() }),
      events: { KeyedMade: () => z.object({}) },
    });
    return faultsOf(library({ tables: { keyed: table(Keyed) }, commands: {} }));
  };
  expect(keyed("k".repeat(255))).toEqual([]);
  expect(keyed("k".repeat(256))).toEqual([
    'domains/library: aggregate "library.Keyed" has a key with a name of 256 characters; the limit is 255. Choose a shorter name.',
  ]);
});
