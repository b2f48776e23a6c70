import { z } from "zod";
import { aggregate, command, microservice, monolithModule, table } from "../../../dist/runtime/index.js";
import type {
  MicroserviceDomain,
  MonolithModule,
  Registration,
} from "../../../dist/runtime/define/domain.js";

const state = () => z.object({ bookId: z.string(), title: z.string() });
const events = { BookBought: () => z.object({}), BookLent: () => z.object({ to: z.string() }) };

/** An aggregate of the domain "library". */
export const Book = aggregate("library.Book", { key: "bookId", state, events });

/** Overrides of an aggregate, including values that the types refuse. */
type Replaced<T> = { [P in keyof T]?: unknown };

/** The aggregate "library.Book", with overrides. */
export function book(changed: Replaced<typeof Book> = {}): typeof Book {
  return { ...Book, ...changed } as typeof Book;
}

/** Its entity table, in either store. */
export const books = table(Book, { private: () => z.object({ shelf: z.string() }), indexes: ["title"] });

/** A command that changes nothing. */
export const buyBook = command({ uses: { books }, input: () => z.object({}), handle: async () => [] });

/** The domain "library" as a microservice, with overrides. */
export function library(changed: Registration & { name?: string } = {}): MicroserviceDomain {
  const { name = "library", ...rest } = changed;
  return microservice(name, { tables: { books }, commands: { buyBook }, ...rest });
}

/** The domain "library" as a module of the monolith, with overrides. */
export function libraryModule(changed: Registration & { name?: string } = {}): MonolithModule {
  const { name = "library", ...rest } = changed;
  return monolithModule(name, { tables: { books }, commands: { buyBook }, ...rest });
}

/** A command that uses nothing. */
const count = command({ uses: {}, input: () => z.object({}), handle: async () => [] });

/** The domain "readers", which has no aggregates. */
export function readers(changed: Registration & { name?: string } = {}): MicroserviceDomain {
  const { name = "readers", ...rest } = changed;
  return microservice(name, { commands: { count }, ...rest });
}
