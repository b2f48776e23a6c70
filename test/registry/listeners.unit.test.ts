import { describe, expect, test } from "vitest";
import { registryOf } from "../../dist/registry/load-domains.js";
import { unheardOf } from "../../dist/registry/listeners.js";
import { project, react } from "../../dist/runtime/index.js";
import { faultsOf } from "../support/domain/domain-faults";
import { Book, library, readers } from "../support/domain/sample-domain";

const titles = project(Book, ({ title }) => ({ title }));
const bought = react(Book, { uses: {}, on: { BookBought: async () => [] } });
const lent = react(Book, { uses: {}, on: { BookLent: async () => [] } });

describe("An event type without a subscription", () => {
  test("is known from the contracts: what no projection or reaction receives", () => {
    expect(unheardOf(library(), [readers()])).toEqual(["BookBought", "BookLent"]);
    expect(unheardOf(library(), [readers({ subscriptions: { bought } })])).toEqual(["BookLent"]);
    expect(unheardOf(library(), [readers({ subscriptions: { bought, lent } })])).toEqual([]);
    expect(unheardOf(library(), [readers({ subscriptions: { titles } })])).toEqual([]);
    expect(unheardOf(library(), [library({ subscriptions: { bought } })])).toEqual(["BookLent"]);
  });

  test("needs no declaration in a domain that declares none", () => {
    expect(faultsOf(library())).toEqual([]);
  });

  test("is a fault in a domain that declares others", () => {
    const domain = library({ unheard: ["BookLent"] });
    expect(faultsOf(domain)).toEqual([
      'domains/library: event "BookBought" has no subscription. Subscribe to it in the domain that needs it, or add it to `unheard` if nobody needs it yet.',
    ]);
    expect(faultsOf(domain, readers({ subscriptions: { bought } }))).toEqual([]);
    expect(faultsOf(library({ unheard: [] }), readers({ subscriptions: { titles } }))).toEqual([]);
  });

  test("is not reported while another folder has faults, which may hide its subscriptions", () => {
    const broken = readers({ tables: { books: undefined as never } });
    expect(faultsOf(library({ unheard: [] }), broken)).toEqual([
      expect.stringMatching(/^domains\/readers: table "books" is not a table\./),
    ]);
  });
});

describe("A declared unheard event type", () => {
  test("may get a subscription without an edit of its own domain", () => {
    const domain = library({ unheard: ["BookBought", "BookLent"] });
    expect(faultsOf(domain, readers({ subscriptions: { titles } }))).toEqual([]);
  });

  test("is one of the domain's contracts", () => {
    expect(faultsOf(library({ unheard: ["BookBought", "BookLent", "BookBurnt"] }))).toEqual([
      'domains/library: unheard event "BookBurnt" is in no contract of the domain. Remove it, or name one of BookBought, BookLent.',
    ]);
  });

  test("is a name", () => {
    const wrong =
      'domains/library: domain "library" registers `unheard` that is not an array of names. Write `unheard: ["<Event>"]`.';
    expect(faultsOf(library({ unheard: "BookLent" as never }))).toEqual([wrong]);
    expect(faultsOf(library({ unheard: [7] as never }))).toEqual([wrong]);
  });
});

test("The registry has the event types of each domain's contracts, heard or not", () => {
  expect(registryOf([library(), readers()]).eventTypes).toEqual({
    library: ["BookBought", "BookLent"],
    readers: [],
  });
});
