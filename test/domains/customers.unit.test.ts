import { describe, expect, test } from "vitest";
import { domain } from "../../dist/domains/customers/index.js";
import { rows, run } from "../support/handles";

const ID = "0a2e4c5d-1111-4222-8333-444455556666";
const { registerCustomer, relocateCustomer, closeCustomer } = domain.commands;
const ada = {
  customer_id: ID,
  name: "Ada",
  email: "ada@example.com",
  city: "Turin",
  credit_note: "prompt",
  version: 3,
};
const withAda = { customers: rows("customer_id", ada) };
const withNobody = { customers: rows("customer_id") };
const unknown = {
  kind: "rejection",
  code: "CUSTOMER_UNKNOWN",
  message: `There is no customer "${ID}". Register the customer first.`,
};

describe("registerCustomer", () => {
  const input = { customerId: ID, name: "Ada", email: "ada@example.com", city: "Turin" };

  test("registers a customer, whose credit note stays out of the event", async () => {
    expect(await run(registerCustomer, { ...input, creditNote: "prompt" }, withNobody)).toEqual([
      {
        event: "CustomerRegistered",
        change: {},
        insert: {
          customer_id: ID,
          name: "Ada",
          email: "ada@example.com",
          city: "Turin",
          credit_note: "prompt",
        },
      },
    ]);
  });

  test("registers a customer without a credit note", async () => {
    expect(await run(registerCustomer, input, withNobody)).toMatchObject([{ insert: { credit_note: null } }]);
  });

  test("rejects a customer who is registered already", async () => {
    expect(await run(registerCustomer, input, withAda)).toEqual({
      kind: "rejection",
      code: "CUSTOMER_EXISTS",
      message: `Customer "${ID}" is registered already. Use another id.`,
    });
  });

  test.each([{ customerId: "7" }, { email: "ada" }, { name: "" }, { city: "" }])(
    "does not take %j",
    (wrong) => {
      expect(registerCustomer?.input().safeParse({ ...input, ...wrong }).success).toBe(false);
    },
  );
});

describe("relocateCustomer", () => {
  test("tells from where to where the customer moved, on the version that was read", async () => {
    expect(await run(relocateCustomer, { customerId: ID, city: "Rome" }, withAda)).toEqual([
      {
        event: "CustomerRelocated",
        change: { from: "Turin", to: "Rome" },
        update: { city: "Rome" },
        where: [`customer_id = ${ID}`, "version = 3"],
      },
    ]);
  });

  test("changes nothing when the customer lives there already", async () => {
    expect(await run(relocateCustomer, { customerId: ID, city: "Turin" }, withAda)).toEqual([]);
  });

  test("rejects a customer who is not known", async () => {
    expect(await run(relocateCustomer, { customerId: ID, city: "Rome" }, withNobody)).toEqual(unknown);
  });
});

describe("closeCustomer", () => {
  test("removes the customer as it was read, and tells why", async () => {
    expect(await run(closeCustomer, { customerId: ID, reason: "moved away" }, withAda)).toEqual([
      {
        event: "CustomerClosed",
        change: { reason: "moved away" },
        delete: true,
        where: [`customer_id = ${ID}`, "version = 3"],
      },
    ]);
  });

  test("rejects a customer who is not known", async () => {
    expect(await run(closeCustomer, { customerId: ID, reason: "moved away" }, withNobody)).toEqual(unknown);
  });
});
