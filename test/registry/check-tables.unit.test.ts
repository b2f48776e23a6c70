import { expect, test } from "vitest";
import { z } from "zod";
import { aggregate } from "../../dist/runtime/define/aggregate.js";
import { entityTable } from "../../dist/runtime/define/table.js";
import { faultsOf } from "../support/domain-faults";
import { Book, bookRows, books, library, libraryModule, readers } from "../support/sample-domain";

const none = { commands: {} };

test("A domain registers events of its own aggregates only", () => {
  expect(faultsOf(library(), readers({ events: [Book] }))).toEqual([
    'domains/readers: aggregate "Book" belongs to the domain "library", not to "readers". Register only events of the own aggregates; subscribe to those of others.',
  ]);
});

test("A domain registers each aggregate once", () => {
  const again = aggregate({ ...Book, events: { BookSold: Book.events.BookBought } });
  expect(
    faultsOf(library({ ...none, tables: { books, more: entityTable(again) }, events: [Book, again] })),
  ).toEqual([
    'domains/library: aggregate "Book" is registered twice. Name each aggregate once under events.',
  ]);
});

test("An aggregate's key is a field of its state", () => {
  const keyless = { ...Book, key: "isbn" };
  expect(faultsOf(library({ ...none, tables: { books: entityTable(keyless) }, events: [keyless] }))).toEqual([
    'domains/library: aggregate "Book" has the key "isbn", which its state does not have (bookId, title). Name a field of the state.',
  ]);
});

test("Event types of a domain have names of their own, since rules match on domain and type", () => {
  const Journal = aggregate({ ...Book, name: "Journal" });
  const tables = { books, journals: entityTable(Journal) };
  expect(faultsOf(library({ ...none, tables, events: [Book, Journal] }))).toEqual([
    'domains/library: event "BookBought" is declared by Book and by Journal. Give each event type of a domain a name of its own.',
    'domains/library: event "BookLent" is declared by Book and by Journal. Give each event type of a domain a name of its own.',
  ]);
});

test.each([0, -1, 1.5])("An event's schema version is a whole number from 1 on, not %d", (version) => {
  const odd = { ...Book, events: { BookBought: { version, change: () => z.object({}) } } };
  expect(faultsOf(library({ ...none, tables: { books: entityTable(odd) }, events: [odd] }))).toEqual([
    `domains/library: event "BookBought" has the version "${version}". Use a whole number from 1 on.`,
  ]);
});

test("A table holds an aggregate", () => {
  // What plain JavaScript, or an import that went in a circle, makes of it.
  const empty = entityTable(undefined as unknown as typeof Book);
  expect(faultsOf(library({ ...none, tables: { books: empty }, events: [] }))).toEqual([
    'domains/library: table "books" has no aggregate. Declare it with entityTable(<aggregate>, ...).',
  ]);
});

test("A microservice's tables are DynamoDB tables, a module's are PostgreSQL tables", () => {
  const wrong = { tables: { books: bookRows as never } };
  expect(faultsOf(library({ ...none, ...wrong }))).toEqual([
    'domains/library: table "books" is a postgres-table, but the domain is a microservice. Leave the columns out.',
    'domains/library: aggregate "Book" has no entity table. Register a table for it, or remove it from events.',
  ]);
  expect(faultsOf(libraryModule({ tables: { books: books as never } }))).toEqual([
    'domains/library: table "books" is a dynamo-table, but the domain is a monolith-module. Name the columns of its fields.',
    'domains/library: aggregate "Book" has no entity table. Register a table for it, or remove it from events.',
  ]);
});

test("A table's aggregate is registered, so that its changes raise events", () => {
  expect(faultsOf(library({ ...none, events: [] }))).toEqual([
    'domains/library: table "books" holds "Book", which the domain does not register under events. Register the aggregate, so that its changes raise events.',
  ]);
});

test("An aggregate is kept in one table", () => {
  expect(faultsOf(library({ ...none, tables: { books, rare: books } }))).toEqual([
    'domains/library: table "rare" holds the same aggregate as table "books". Keep each aggregate in one table.',
  ]);
});

test("A registered aggregate has a table", () => {
  expect(faultsOf(library({ ...none, tables: {} }))).toEqual([
    'domains/library: aggregate "Book" has no entity table. Register a table for it, or remove it from events.',
  ]);
});

test("A field is public or private, not both", () => {
  const table = entityTable(Book, { private: () => z.object({ title: z.string() }) });
  expect(faultsOf(library({ ...none, tables: { books: table } }))).toEqual([
    'domains/library: table "books" has the field "title" both public and private. Keep it in one of the two.',
  ]);
});

test.each(["version", "removed"])("No field is called %s, which the runtime writes itself", (field) => {
  const table = entityTable(Book, { private: () => z.object({ [field]: z.string() }) });
  expect(faultsOf(library({ ...none, tables: { books: table } }))).toEqual([
    `domains/library: table "books" has a field "${field}", a name that the runtime uses. Choose another name.`,
  ]);
});

test("An index is on a field of the table", () => {
  const table = { ...books, indexes: ["author"] };
  expect(faultsOf(library({ ...none, tables: { books: table } }))).toEqual([
    'domains/library: table "books" has an index on "author", which is no field of it. Name one of bookId, title, shelf.',
  ]);
});

test("An index is on a text field, since DynamoDB refuses items whose index key is anything else", () => {
  const fields = () =>
    z.object({ pages: z.int(), author: z.string().nullable(), genre: z.enum(["a", "b"]).optional() });
  const table = { ...entityTable(Book, { private: fields }), indexes: ["title", "genre", "pages", "author"] };
  expect(faultsOf(library({ ...none, tables: { books: table } }))).toEqual([
    'domains/library: table "books" has an index on "pages", which is not text. Index text fields only.',
    'domains/library: table "books" has an index on "author", which is not text. Index text fields only.',
  ]);
});

test("An aggregate's key is text", () => {
  const counted = {
    ...Book,
    state: () => z.object({ bookId: z.int(), title: z.string() }),
  } as unknown as typeof Book;
  expect(faultsOf(library({ ...none, tables: { books: entityTable(counted) }, events: [counted] }))).toEqual([
    'domains/library: aggregate "Book" has the key "bookId", which is not text. Use a text field, e.g. z.uuid().',
  ]);
});

test("Fields have columns of their own", () => {
  const table = { ...bookRows, columns: { bookId: "id", title: "id" } };
  expect(faultsOf(libraryModule({ tables: { books: table as never } }))).toEqual([
    'domains/library: table "books" keeps several fields in the column "id". Name a column for each.',
  ]);
});

test.each(["outbox", "inbox", "deleted_aggregates", "pgmigrations"])(
  "No module has a table %s, which is there for all",
  (name) => {
    expect(faultsOf(libraryModule({ tables: { [name]: bookRows } }))).toEqual([
      `domains/library: table "${name}" has a name that the monolith's database uses itself. Choose another name.`,
    ]);
  },
);

test("Every public field has a column, and only public fields have one", () => {
  const table = { ...bookRows, columns: { bookId: "book_id", author: "author" } };
  expect(faultsOf(libraryModule({ tables: { books: table as never } }))).toEqual([
    'domains/library: table "books" has no column for the public field "title". Name its column.',
    'domains/library: table "books" has a column for "author", which the contract does not publish. Move it to the private fields.',
  ]);
});

test("Modules of the monolith share one database, so their tables have different names", () => {
  const Magazine = aggregate({ ...Book, domain: "press", name: "Magazine" });
  const press = libraryModule({
    name: "press",
    tables: { books: entityTable(Magazine, { columns: { bookId: "id", title: "title" } }) },
    events: [Magazine],
  });
  expect(faultsOf(libraryModule(), press)).toEqual([
    'domains/press: table "books" is registered by "library" too. The modules share one database: choose another name.',
  ]);
});

test("A schema that throws is a fault of its folder, told like any other", () => {
  const broken = {
    ...Book,
    state: () => {
      throw new Error("z.strng is not a function");
    },
  } as unknown as typeof Book;
  expect(faultsOf(library({ ...none, tables: { books: entityTable(broken) }, events: [broken] }))).toEqual([
    "domains/library: its definition cannot be read: z.strng is not a function. Mend the definition.",
    "domains/library: its definition cannot be read: z.strng is not a function. Mend the definition.",
  ]);
});
