import { z } from "zod";
import { command } from "../../dist/runtime/define/command.js";
import { aggregate } from "../../dist/runtime/define/aggregate.js";
import {
  microservice,
  type MicroserviceDomain,
  monolithModule,
  type MonolithModule,
} from "../../dist/runtime/define/domain.js";
import { entityTable } from "../../dist/runtime/define/table.js";

/** An aggregate of the domain "library". */
export const Book = aggregate({
  domain: "library",
  name: "Book",
  key: "bookId",
  state: () => z.object({ bookId: z.string(), title: z.string() }),
  events: {
    BookBought: { version: 1, change: () => z.object({}) },
    BookLent: { version: 1, change: () => z.object({ to: z.string() }) },
  },
});

/** Its entity table in DynamoDB. */
export const books = entityTable(Book, {
  private: () => z.object({ shelf: z.string() }),
  indexes: ["title"],
});

/** Its entity table in PostgreSQL. */
export const bookRows = entityTable(Book, { columns: { bookId: "book_id", title: "title" } });

/** A command that changes nothing. */
export const buyBook = command({ uses: { books }, input: () => z.object({}), handle: async () => [] });

/** The domain "library" as a microservice, with what is given in place of its own. */
export function library(changed: Partial<MicroserviceDomain> = {}): MicroserviceDomain {
  return microservice({
    name: "library",
    tables: { books },
    events: [Book],
    subscriptions: {},
    commands: { buyBook },
    ...changed,
  });
}

/** The domain "library" as a module of the monolith, with what is given in place of its own. */
export function libraryModule(changed: Partial<MonolithModule> = {}): MonolithModule {
  return monolithModule({
    name: "library",
    tables: { books: bookRows },
    events: [Book],
    subscriptions: {},
    commands: {},
    ...changed,
  });
}

/** The domain "readers", which has no aggregates of its own. */
export function readers(changed: Partial<MicroserviceDomain> = {}): MicroserviceDomain {
  return microservice({
    name: "readers",
    tables: {},
    events: [],
    subscriptions: {},
    commands: {},
    ...changed,
  });
}
