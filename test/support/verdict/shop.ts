import { emptyWorld, type Commit, type World } from "./world.js";

/** Values that only private columns hold. */
export const MARKS = { customers: ["customers-secret"], catalog: [77777], orders: ["orders-secret"] };
/** The monolith's stream. */
export const STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/monolith";

/** A change to a customer's row. */
export const customer = (id: string, type: string, city = "Graz"): Commit => {
  const columns = { name: "Ada", email: "ada@example.org", city, credit_note: "a customers-secret" };
  return { aggregate: "customers.Customer", id, type, set: { customer_id: id, ...columns } };
};

export const relocation = (id: string, to: string): Commit => ({
  ...customer(id, "CustomerRelocated", to),
  change: { from: "Graz", to },
});

/** A customer whose column of JSON holds more than the contract publishes. */
export const billed = (id: string, billing: object): Commit => {
  const commit = customer(id, "CustomerRegistered");
  return { ...commit, set: { ...commit.set, billing } };
};

export const gone = (aggregate: string, id: string, type: string): Commit => ({
  aggregate,
  id,
  type,
  set: null,
});

export const product = (id: string, stock: number, type = "ProductListed"): Commit => {
  const columns = { title: "Lamp", price_cents: 500, stock, supplier_cost_cents: 77777 };
  return { aggregate: "catalog.Product", id, type, set: { product_id: id, ...columns } };
};

export const stockTaken = (id: string, orderId: string, quantity: number, left: number): Commit => ({
  ...product(id, left, "ProductStockTaken"),
  change: { orderId, quantity },
});

export const order = (id: string, customerId: string, productId: string, quantity: number): Commit => ({
  aggregate: "orders.Order",
  id,
  type: "OrderPlaced",
  change: { productId, quantity },
  set: {
    ...{ orderId: id, customerId, productId, quantity, totalCents: 500 * quantity, status: "placed" },
    internalNote: "an orders-secret",
  },
});

export const orderStatus = (id: string, type: string, status: string): Commit => ({
  ...{ aggregate: "orders.Order", id, type, set: { status } },
});

export const shipment = (id: string, customerId: string): Commit => ({
  aggregate: "shipping.Shipment",
  id,
  type: "ShipmentPrepared",
  change: { orderId: id },
  set: { shipmentId: id, customerId, city: "Graz", status: "pending", carrierCostCents: 450 },
});

export const redirection = (id: string, to: string): Commit => ({
  ...{ aggregate: "shipping.Shipment", id, type: "ShipmentRedirected", set: { city: to }, change: { to } },
});

export const dispatch = (id: string): Commit => ({
  aggregate: "shipping.Shipment",
  id,
  type: "ShipmentDispatched",
  change: { orderId: id, city: "Graz" },
  set: { status: "dispatched" },
});

/** Places an order, with the reactions to it; the product's stock is large enough. */
export function placeOrder(world: World, id: string, productId: string, quantity: number): void {
  world.command("orders.placeOrder", [order(id, "ada", productId, quantity)]);
  const placed = world.event("OrderPlaced", id);
  world.react("shipping.placed", placed, [shipment(id, "ada")]);
  const left = Number(world.newest(productId).row?.["stock"]) - quantity;
  world.react("catalog.orders", placed, [stockTaken(productId, id, quantity, left)]);
}

/** A run of the shop in which everything possible happens and every guarantee holds. */
export function shop(): World {
  const world = emptyWorld();
  world.journal.privateMarks = MARKS;
  world.command("customers.registerCustomer", [customer("ada", "CustomerRegistered")]);
  world.command("catalog.listProduct", [product("lamp", 10)]);
  world.command("catalog.listProduct", [product("sofa", 3)]);
  placeOrder(world, "order-1", "lamp", 3);
  placeOrder(world, "order-2", "lamp", 2);

  // The last order takes the remaining stock; a withdrawn product has no stock to take.
  world.command("orders.placeOrder", [order("order-3", "ada", "sofa", 5)]);
  const third = world.event("OrderPlaced");
  world.react("shipping.placed", third, [shipment("order-3", "ada")]);
  world.react("catalog.orders", third, [stockTaken("sofa", "order-3", 3, 0)]);
  world.command("orders.placeOrder", [order("order-4", "ada", "sofa", 1)]);
  const fourth = world.event("OrderPlaced");
  world.react("shipping.placed", fourth, [shipment("order-4", "ada")]);
  world.command("catalog.withdrawProduct", [gone("catalog.Product", "sofa", "ProductWithdrawn")]);
  world.react("catalog.orders", fourth);

  world.command("customers.relocateCustomer", [relocation("ada", "Lyon")]);
  const redirected = ["order-1", "order-2", "order-3", "order-4"].map((id) => redirection(id, "Lyon"));
  world.react("shipping.relocations", world.event("CustomerRelocated"), redirected);

  // One order is cancelled while its shipment is dispatched.
  for (const id of ["order-1", "order-2"]) world.command("shipping.dispatchShipment", [dispatch(id)]);
  world.command("orders.cancelOrder", [orderStatus("order-2", "OrderCancelled", "cancelled")]);
  const shipped = orderStatus("order-1", "OrderShipped", "shipped");
  world.react("orders.dispatch", world.event("ShipmentDispatched", "order-1"), [shipped]);
  world.react("orders.dispatch", world.event("ShipmentDispatched", "order-2"));

  // Raw SQL: a customer that is closed and registered again, one that stays closed, and transactions without
  // effect.
  world.sql([customer("bob", "CustomerRegistered"), customer("cid", "CustomerRegistered")]);
  world.sql([
    gone("customers.Customer", "bob", "CustomerClosed"),
    gone("customers.Customer", "cid", "CustomerClosed"),
  ]);
  world.sql([customer("bob", "CustomerRegistered", "Porto")]);
  for (const expected of ["rolledBack", "refused", "unknown"] as const) world.sql([], expected);
  world.sql([customer("dan", "CustomerRegistered")], "unknown");

  answerInEachWay(world);
  injectPoison(world);
  return world;
}

function answerInEachWay(world: World): void {
  world.command("catalog.listProduct", [], ["rejected", "conflict", "invalid"]);
  world.command("catalog.listProduct", [], ["lost", "unknown"]);
  world.command("catalog.listProduct", [], []);
  world.command("catalog.listProduct", [product("vase", 1)], ["lost"]);
  world.command("customers.relocateCustomer", [], ["done"]);
  const { answers } = world.command("catalog.listProduct", [product("rug", 1)], ["lost", "rejected", "done"]);
  for (const answer of answers) if (answer.outcome === "done") answer.repeated = true;
  answers.push({ ...answers[2], outcome: "done", repeated: true }, { outcome: "unknown" });
}

function injectPoison({ command, event, journal, snapshot }: World): void {
  const payload = Buffer.from("{ no record }");
  const parts = [payload.subarray(0, 5), payload.subarray(5)].map((part) => part.toString("base64"));
  journal.poison.push({ kind: "undecodable", stream: STREAM, payload: payload.toString("base64") });
  parts.forEach((piece, index) => {
    const body = { stream: STREAM, sequenceNumber: "1", part: index + 1, parts: 2, payload: piece };
    snapshot.quarantined.push({ queue: "monolith-relay-quarantine", body: JSON.stringify(body) });
  });

  const detail = { specversion: "1.0", id: "odd", source: "customers", type: "CustomerRelocated" };
  snapshot.bus.push(detail);
  refuse(detail, "shipping-on-relocations", detail);

  // Events of an outbox that some subscribers refuse: their projections stay at the event before.
  command("customers.registerCustomer", [customer("eve", "CustomerRegistered")]);
  command("customers.relocateCustomer", [relocation("eve", "Turin")]);
  const relocated = event("CustomerRelocated");
  for (const subscription of ["shipping-on-customers", "shipping-on-relocations"])
    refuse(snapshot.bus.at(-1), subscription);
  snapshot.projections["shipping-customers-projection"] = [
    ...(snapshot.projections["shipping-customers-projection"] ?? []).filter(
      ({ aggregateId }) => aggregateId !== "eve",
    ),
    { aggregateId: "eve", version: relocated.version - 1, fields: { name: "Ada", city: "Graz" } },
  ];

  function refuse(refused: unknown, subscription: string, known?: unknown): void {
    const eventId = (refused as { id: string }).id;
    journal.poison.push({ kind: "refused", eventId, subscription, ...(known ? { detail: known } : {}) });
    snapshot.deadLetters.push({ queue: `${subscription}-dlq`, body: JSON.stringify({ detail: refused }) });
  }
}
