import { describe, expect, test } from "vitest";
import { inMemory } from "../../test/support/in-memory-domain";
import { domain } from ".";

const ID = "0a2e4c5d-1111-4222-8333-444455556666";
const ada = { customerId: ID, name: "Ada", email: "ada@example.com", city: "Turin", creditNote: "prompt" };
const withAda = inMemory(domain, { customers: [{ ...ada, version: 3 }] });
const withNobody = inMemory(domain);
const unknown = {
  outcome: "rejected",
  id: expect.any(String),
  code: "CUSTOMER_UNKNOWN",
  message: `There is no customers.Customer "${ID}" here: it never existed, is not known yet, or is gone.`,
};

describe("registerCustomer", () => {
  test("registers a customer, with or without a credit note", async () => {
    const registered = { event: "CustomerRegistered", change: {} };
    const { creditNote: _private, ...published } = ada;
    expect(await withNobody.run("registerCustomer", ada)).toEqual([{ ...registered, create: ada }]);
    expect(await withNobody.run("registerCustomer", published)).toEqual([
      { ...registered, create: published },
    ]);
  });

  test("rejects a customer who is registered already", async () => {
    expect(await withAda.run("registerCustomer", ada)).toMatchObject({
      outcome: "rejected",
      code: "CUSTOMER_EXISTS",
      message: `The customers.Customer "${ID}" exists. Use another id.`,
    });
  });

  test.each([{ customerId: "7" }, { email: "ada" }, { name: "" }, { city: "" }])(
    "refuses %j",
    async (wrong) => {
      expect(await withNobody.run("registerCustomer", { ...ada, ...wrong })).toMatchObject({
        outcome: "invalid",
        issues: [{ path: Object.keys(wrong)[0] }],
      });
    },
  );
});

describe("relocateCustomer", () => {
  test("says from where to where the customer moved, on the version that was read", async () => {
    expect(await withAda.run("relocateCustomer", { customerId: ID, city: "Rome" })).toEqual([
      { event: "CustomerRelocated", change: { from: "Turin", to: "Rome" }, update: { city: "Rome" }, of: 3 },
    ]);
  });

  test("changes nothing when the customer lives there already", async () => {
    expect(await withAda.run("relocateCustomer", { customerId: ID, city: "Turin" })).toEqual([]);
  });

  test("rejects a customer who is not known", async () => {
    expect(await withNobody.run("relocateCustomer", { customerId: ID, city: "Rome" })).toEqual(unknown);
  });
});

describe("closeCustomer", () => {
  const input = { customerId: ID, reason: "moved away" };

  test("removes the customer as it was read, and says why", async () => {
    expect(await withAda.run("closeCustomer", input)).toEqual([
      { event: "CustomerClosed", change: { reason: "moved away" }, remove: ID, of: 3 },
    ]);
  });

  test("rejects a customer who is not known", async () => {
    expect(await withNobody.run("closeCustomer", input)).toEqual(unknown);
  });
});
