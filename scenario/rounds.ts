import { seededUuid } from "../test/faults/plan/random";
import type { Rounds } from "../local/run/scenario";
import type { Operation } from "../test/faults/writers/operation";
import { PRIVATE_MARKS, relocation } from "./writers";

/**
 * Rounds that together run every command and every reaction of the shop. Each round brings customers, a product and orders of its own,
 * whose lives go on in the next two, so that no step depends on what another one of its round has done meanwhile.
 */
export const rounds: Rounds = {
  firstWhole: 2,
  at: (index) => [customersIn(index), catalogIn(index), ordersIn(index), shippingIn(index)],
};

function customersIn(index: number): Operation[] {
  const customerId = idOf("buyer", index);
  const city = `Zürich ${index}`;
  const former = { customerId: idOf("canceller", index - 2) };
  return [
    registerCustomer("buyer", index),
    registerCustomer("canceller", index),
    // Two events of one aggregate that are captured and relayed together, and another one beside them.
    relocation(`sql-${index}`, "committed", {
      customerIds: [customerId, idOf("canceller", index)],
      city: `Basel ${index}`,
      firstMovesOnTo: city,
    }),
    // The customer lives there already: nothing is to be changed, but the request is recorded.
    command(index, "customers", "relocateCustomer", { customerId, city }),
    ...since(2, index, [
      command(index, "customers", "relocateCustomer", { ...former, city: `Porto ${index}` }),
      command(index, "customers", "closeCustomer", { ...former, reason: "moved abroad" }),
    ]),
  ];
}

function registerCustomer(name: string, index: number): Operation {
  return command(index, "customers", "registerCustomer", {
    customerId: idOf(name, index),
    name: `${name} ${index}`,
    email: `${name}${index}@example.com`,
    city: `Lyon ${index}`,
    creditNote: PRIVATE_MARKS.customers,
  });
}

function catalogIn(index: number): Operation[] {
  const productId = idOf("product", index);
  return [
    command(index, "catalog", "listProduct", {
      productId,
      title: `Product ${index}`,
      priceCents: 1_000,
      stock: 100,
      supplierCostCents: PRIVATE_MARKS.catalog,
    }),
    command(index, "catalog", "repriceProduct", { productId, priceCents: 2_000 }),
    ...since(2, index, [
      command(index, "catalog", "withdrawProduct", { productId: idOf("product", index - 2) }),
    ]),
  ];
}

function ordersIn(index: number): Operation[] {
  const place = (customer: "buyer" | "canceller") =>
    command(index, "orders", "placeOrder", {
      orderId: idOf(`order of ${customer}`, index),
      customerId: idOf(customer, index - 1),
      productId: idOf("product", index - 1),
      quantity: 2,
      internalNote: PRIVATE_MARKS.orders,
    });
  const orderId = idOf("order of canceller", index - 1);
  return [
    ...since(1, index, [place("buyer"), place("canceller")]),
    ...since(2, index, [command(index, "orders", "cancelOrder", { orderId, reason: "changed my mind" })]),
  ];
}

function shippingIn(index: number): Operation[] {
  const shipmentId = idOf("order of buyer", index - 1);
  return since(2, index, [command(index, "shipping", "dispatchShipment", { shipmentId })]);
}

/** What can be done only to what so many rounds before have left. */
function since(rounds: number, index: number, operations: Operation[]): Operation[] {
  return index >= rounds ? operations : [];
}

function command(index: number, domain: string, name: string, input: object): Operation {
  const requestId = idOf(`${name} ${JSON.stringify(input)}`, index);
  return { kind: "command", requestId, domain, command: name, input };
}

function idOf(what: string, index: number): string {
  return seededUuid(0, `${what} ${index}`);
}
