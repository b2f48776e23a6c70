import { describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, reject, table } from "../../dist/runtime/index.js";
import { faultsOf } from "../support/domain/domain-faults";
import { Book, book, books, library, libraryModule, readers } from "../support/domain/sample-domain";

const { key, state } = Book;
const BookSold = () => z.object({});
/** Faults of the domain "library" with these tables, as a microservice and as a module. */
const inBoth = (tables: Parameters<typeof library>[0] & object) => ({
  microservice: faultsOf(library({ commands: {}, ...tables })),
  module: faultsOf(libraryModule({ commands: {}, ...tables })),
});
const same = (...faults: string[]) => ({ microservice: faults, module: faults });

describe("An aggregate", () => {
  test("is kept by its own domain only", () => {
    expect(faultsOf(library(), readers({ tables: { books } }))).toEqual([
      'domains/readers: aggregate "library.Book" belongs to the domain "library", not to "readers". Keep only aggregates named "readers.<Aggregate>" in this domain\'s tables, and subscribe to those of others.',
    ]);
  });

  test("is declared once", () => {
    const again = aggregate("library.Book", { key, state, events: { BookSold } });
    expect(inBoth({ tables: { books, more: table(again) } })).toEqual(
      same('domains/library: aggregate "library.Book" is declared twice. Give each aggregate its own name.'),
    );
  });

  test("is kept in one table", () => {
    expect(inBoth({ tables: { books, rare: books } })).toEqual(
      same(
        'domains/library: table "rare" holds the same aggregate as table "books". Keep each aggregate in one table.',
      ),
    );
  });

  test("has a key that is a field of its state", () => {
    expect(inBoth({ tables: { books: table(book({ key: "isbn" })) } })).toEqual(
      same(
        'domains/library: aggregate "library.Book" has the key "isbn", which is not a field of its state. Name one of bookId, title.',
      ),
    );
  });

  test.each([
    { bookId: z.int(), problem: "is not text" },
    { bookId: z.union([z.string(), z.int()]), problem: "is not text" },
    { bookId: z.string().optional(), problem: "may be absent" },
    { bookId: z.uuid().nullable(), problem: "may be null" },
  ])("has a key that is text and always there: $bookId.type $problem", ({ bookId, problem }) => {
    const keyed = book({ state: () => z.object({ bookId, title: z.string() }) });
    expect(inBoth({ tables: { books: table(keyed) } })).toEqual(
      same(
        `domains/library: aggregate "library.Book" has the key "bookId", which ${problem}. Use a text field that is always there, e.g. z.uuid().`,
      ),
    );
  });

  test.each([
    z.uuid(),
    z.string().brand("BookId"),
    z.string().pipe(z.email()),
    z.templateLiteral(["b", z.int()]),
  ])("may have any text as its key: $type", (bookId) => {
    const keyed = book({ state: () => z.object({ bookId, title: z.string() }) });
    expect(inBoth({ tables: { books: table(keyed) } })).toEqual(same());
  });

  test("has event types that no other of its domain has, since rules match domain and type", () => {
    const Journal = aggregate("library.Journal", { key, state, events: Book.events });
    expect(inBoth({ tables: { books, journals: table(Journal) } })).toEqual(
      same(
        'domains/library: event "BookBought" is declared by library.Book and by library.Journal. Give each event type of a domain its own name: rules match domain and type.',
        'domains/library: event "BookLent" is declared by library.Book and by library.Journal. Give each event type of a domain its own name: rules match domain and type.',
      ),
    );
  });
});

describe("A field", () => {
  test("is public or private, not both", () => {
    const both = table(Book, { private: () => z.object({ title: z.string() }) });
    expect(inBoth({ tables: { books: both } })).toEqual(
      same(
        'domains/library: table "books" has the field "title" both public and private. Keep it in one of the two.',
      ),
    );
  });

  test.each(["version", "removed"])("is not called %s, which the runtime writes itself", (field) => {
    const reserved = table(Book, { private: () => z.object({ [field]: z.string() }) });
    expect(inBoth({ tables: { books: reserved } })).toEqual(
      same(
        `domains/library: table "books" has a field "${field}", a name that the runtime reserves. Choose another name.`,
      ),
    );
  });
});

describe("An index", () => {
  const indexed = (indexes: string[], fields: z.ZodRawShape = {}) => ({
    tables: { books: { ...table(Book, { private: () => z.object(fields) }), indexes } },
  });

  test("is on a field of the table", () => {
    expect(inBoth(indexed(["author"], { shelf: z.string() }))).toEqual(
      same(
        'domains/library: table "books" has an index on "author", which is not one of its fields. Name one of bookId, title, shelf.',
      ),
    );
  });

  test("is on text wherever the field has a value, since DynamoDB declares an index's key as text", () => {
    const fields = { pages: z.int(), genre: z.enum(["a", "b"]).optional(), tags: z.array(z.string()) };
    expect(inBoth(indexed(["title", "genre", "pages", "tags"], fields))).toEqual(
      same(
        'domains/library: table "books" has an index on "pages", which is not text. Index text fields only.',
        'domains/library: table "books" has an index on "tags", which is not text. Index text fields only.',
      ),
    );
  });

  test("may be on text of any kind", () => {
    const fields = {
      literal: z.literal(["a", "b"]),
      branded: z.string().brand("Author"),
      either: z.union([z.email(), z.uuid()]),
      defaulted: z.string().default("none"),
      lazy: z.lazy(() => z.string().readonly()),
    };
    expect(inBoth(indexed(Object.keys(fields), fields))).toEqual(same());
  });

  test("may be null in PostgreSQL and not in DynamoDB, which refuses such an item", () => {
    const fields = { author: z.string().nullish(), series: z.union([z.string(), z.null()]) };
    const refused = (field: string) =>
      `domains/library: table "books" has an index on "${field}", which may be null: DynamoDB refuses such an item. Make the field optional instead, or remove the index.`;
    expect(inBoth(indexed(["author", "series"], fields))).toEqual({
      microservice: [refused("author"), refused("series")],
      module: [],
    });
  });

  test("is not on the key, by which every table is read", () => {
    expect(inBoth(indexed(["bookId"]))).toEqual(
      same(
        'domains/library: table "books" has an index on its key "bookId". Remove the index: `find` and `get` read by the key.',
      ),
    );
  });

  test("is named once", () => {
    expect(inBoth(indexed(["title", "title"]))).toEqual(
      same('domains/library: table "books" has the index "title" twice. Name each index once.'),
    );
  });

  test("is one of 20 at most, as many as a table of DynamoDB may have", () => {
    const names = Array.from({ length: 21 }, (_, number) => `field${number}`);
    const fields = Object.fromEntries(names.map((name) => [name, z.string()]));
    expect(inBoth(indexed(names.slice(1), fields))).toEqual(same());
    expect(inBoth(indexed(names, fields))).toEqual(
      same(
        'domains/library: table "books" has 21 indexes; the limit is 20. Remove those that no handler reads by.',
      ),
    );
  });
});

describe("A column", () => {
  test("is a module's: a microservice's tables have none", () => {
    const mapped = table(Book, { columns: { title: "name" } });
    expect(inBoth({ tables: { books: mapped } })).toEqual({
      microservice: [
        'domains/library: table "books" has `columns`, but a microservice\'s tables have no columns. Remove `columns`, or make the domain a monolithModule.',
      ],
      module: [],
    });
  });

  test("is mapped for a field of the table", () => {
    const mapped = { ...books, columns: { author: "author" } };
    expect(faultsOf(libraryModule({ tables: { books: mapped }, commands: {} }))).toEqual([
      'domains/library: table "books" maps a column for "author", which is not one of its fields. Name one of bookId, title, shelf.',
    ]);
  });

  test("holds one field, whether it is mapped or made from the field's name", () => {
    const mapped = table(Book, { columns: { bookId: "title" } });
    const alike = table(Book, { private: () => z.object({ shelfNo: z.string(), shelf_no: z.string() }) });
    const fault = (column: string) =>
      `domains/library: table "books" keeps several fields in the column "${column}". Map each to its own under \`columns\`.`;
    expect(faultsOf(libraryModule({ tables: { books: mapped }, commands: {} }))).toEqual([fault("title")]);
    expect(faultsOf(libraryModule({ tables: { books: alike }, commands: {} }))).toEqual([fault("shelf_no")]);
  });

  test.each([{ columns: { title: "version" } }, { private: () => z.object({ Version: z.int() }) }])(
    "is not the one in which the runtime keeps the version: %j",
    (options) => {
      const field = options.columns ? "title" : "Version";
      expect(faultsOf(libraryModule({ tables: { books: table(Book, options) }, commands: {} }))).toEqual([
        `domains/library: table "books" keeps "${field}" in the column "version", which the runtime reserves. Choose another column.`,
      ]);
    },
  );
});

describe("The rejection of a constraint", () => {
  test("is a module's: a microservice's tables have no constraints", () => {
    const mapped = table(Book, { rejections: { books_title_key: "TITLE_TAKEN" } });
    expect(inBoth({ tables: { books: mapped } })).toEqual({
      microservice: [
        'domains/library: table "books" has `rejections`, but a microservice\'s tables have no constraints. Remove `rejections`, or make the domain a monolithModule.',
      ],
      module: [],
    });
  });

  test.each(["titleTaken", "TITLE TAKEN", "_TAKEN", "1TAKEN", ""])("has a code, and not %j", (code) => {
    for (const rejection of [code as "TAKEN", reject(code, "The title is taken.")]) {
      const mapped = table(Book, { rejections: { books_title_key: rejection } });
      expect(faultsOf(libraryModule({ tables: { books: mapped }, commands: {} }))).toEqual([
        `domains/library: table "books" maps the constraint "books_title_key" to "${code}", which is not a code. Use SCREAMING_SNAKE_CASE, e.g. EMAIL_TAKEN.`,
      ]);
    }
  });

  test.each(["", "é".repeat(32)])(
    "is of a constraint whose name PostgreSQL can hold, and not of %j",
    (name) => {
      const mapped = table(Book, { rejections: { [name]: "TITLE_TAKEN" } });
      expect(faultsOf(libraryModule({ tables: { books: mapped }, commands: {} }))).toEqual([
        `domains/library: table "books" maps the constraint "${name}", whose name PostgreSQL cannot hold. Write the name as PostgreSQL has it, at most 63 bytes.`,
      ]);
    },
  );
});

describe("A module's table", () => {
  test.each(["outbox", "inbox", "deleted_aggregates", "domain_consistency_migrations", "domain_migrations"])(
    "is not called %s, which the framework keeps for all modules",
    (name) => {
      expect(inBoth({ tables: { [name]: books } })).toEqual({
        microservice: [],
        module: [
          `domains/library: table "${name}" has a name that the framework reserves in the monolith's database. Choose another name.`,
        ],
      });
    },
  );

  test("has a name that no other module's table has, since they share one database", () => {
    const Magazine = aggregate("press.Magazine", { key, state, events: { MagazinePrinted: BookSold } });
    const press = { name: "press", tables: { books: table(Magazine) }, commands: {} };
    expect(faultsOf(libraryModule(), libraryModule(press))).toEqual([
      'domains/press: table "books" is registered by the domain "library" too. Choose another name: the monolith\'s modules share one database.',
    ]);
    expect(faultsOf(libraryModule(), library(press))).toEqual([]);
  });
});
