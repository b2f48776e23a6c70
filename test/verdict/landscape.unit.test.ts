import { expect, test } from "vitest";
import { z } from "zod";
import { loadDomainsFrom } from "../../dist/registry/load-domains.js";
import { FIXTURE_DOMAINS } from "../../dist/test/fixtures/source.js";
import { publicPart } from "../../dist/test/verdict/facts.js";
import { landscapeOf } from "../../dist/test/verdict/landscape.js";

/** Compares the derived landscape of the fixture domains with one written by hand. */
const landscape = landscapeOf(loadDomainsFrom(FIXTURE_DOMAINS.domains).all);

test("knows every aggregate, where it is kept, its public fields and its private columns", () => {
  expect(landscape.aggregates).toEqual([
    {
      name: "loans.Loan",
      domain: "loans",
      store: "dynamodb",
      table: "loans-loans-table",
      key: "loanId",
      columns: { loanId: "loanId", memberId: "memberId", title: "title", status: "status" },
      optional: [],
      parts: {},
      privateColumns: ["shelf"],
      events: ["BookLent", "BookReturned", "LoanForgotten"],
    },
    {
      name: "members.Member",
      domain: "members",
      store: "postgres",
      table: "members",
      key: "member_id",
      columns: { memberId: "member_id", name: "name", email: "email", city: "city", lent: "lent" },
      optional: [],
      parts: {},
      privateColumns: ["note"],
      events: ["MemberJoined", "MemberMoved", "MemberLent", "MemberLeft"],
    },
  ]);
  expect([...landscape.privateNames].sort()).toEqual(["note", "shelf"]);
});

test("knows every projection, with the domain's own choice of fields", () => {
  const known = landscape.projections.map(({ select, ...facts }) => ({
    ...facts,
    copies: Object.keys(select({})),
  }));
  expect(known).toEqual([
    {
      table: "loans-members-projection",
      subscription: "loans-on-members",
      domain: "loans",
      aggregate: "members.Member",
      copies: ["name", "city"],
    },
    {
      table: "members-loans-projection",
      subscription: "members-on-loans",
      domain: "members",
      aggregate: "loans.Loan",
      copies: ["memberId", "status"],
    },
  ]);
});

test("knows every reaction, outbox and inbox", () => {
  expect(landscape.reactions).toEqual([
    {
      subscription: "loans-on-leavers",
      domain: "loans",
      consumer: "loans.leavers",
      to: { aggregate: "members.Member", type: "MemberLeft" },
    },
    {
      subscription: "members-on-counted",
      domain: "members",
      consumer: "members.counted",
      to: { aggregate: "loans.Loan", type: "BookLent" },
    },
  ]);
  expect(landscape.outboxes).toEqual(["loans-outbox"]);
  expect(landscape.inboxes).toEqual(["loans-inbox"]);
});

test("knows which fields may be absent, and what is public of JSON at every depth", () => {
  const Parcel = {
    name: "parcels.Parcel",
    key: "parcelId",
    events: {},
    state: () =>
      z.object({
        parcelId: z.string(),
        note: z.string().optional(),
        weight: z.int().nullish(),
        stops: z.array(z.object({ city: z.string() })),
        payer: z.discriminatedUnion("by", [
          z.object({ by: z.literal("card"), brand: z.string() }),
          z.object({ by: z.literal("bill"), to: z.string() }),
        ]),
        labels: z.record(z.string(), z.object({ text: z.string() })),
      }),
  };
  const table = { aggregate: Parcel, private: () => z.object({}), columns: {} };
  const domain = {
    kind: "monolith-module",
    name: "parcels",
    tables: { parcels: table },
    subscriptions: {},
  } as const;
  const [facts] = landscapeOf([domain]).aggregates;
  expect(facts?.optional).toEqual(["note"]);
  const part = (field: string, value: unknown) => publicPart(value, facts?.parts[field]);
  expect(part("stops", [{ city: "Graz", door: "4711" }])).toEqual([{ city: "Graz" }]);
  expect(part("payer", { by: "bill", to: "Ada", brand: "none", iban: "GB82" })).toEqual({
    by: "bill",
    to: "Ada",
  });
  expect(part("labels", { a: { text: "fragile", by: "Bob" } })).toEqual({ a: { text: "fragile" } });
  expect(part("weight", null)).toBeNull();
});
