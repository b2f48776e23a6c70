import type { AggregateFacts, Landscape } from "../../../dist/test/verdict/facts.js";
import type { EffectJudge } from "../../../dist/test/verdict/facts.js";
import type { Row } from "../../../dist/test/verdict/snapshot.js";

/** A shop for the verdict's own tests, written by hand: two modules and two microservices. */
const AGGREGATES: readonly AggregateFacts[] = [
  {
    name: "customers.Customer",
    domain: "customers",
    store: "postgres",
    table: "customers",
    key: "customer_id",
    columns: { customerId: "customer_id", name: "name", email: "email", city: "city", billing: "billing" },
    optional: ["billing"],
    parts: { billing: { type: "object", properties: { to: { type: "string" } } } },
    privateColumns: ["credit_note"],
    events: ["CustomerRegistered", "CustomerRelocated", "CustomerClosed"],
  },
  {
    name: "catalog.Product",
    domain: "catalog",
    store: "postgres",
    table: "products",
    key: "product_id",
    columns: { productId: "product_id", title: "title", priceCents: "price_cents", stock: "stock" },
    optional: [],
    parts: {},
    privateColumns: ["supplier_cost_cents"],
    events: ["ProductListed", "ProductRepriced", "ProductStockTaken", "ProductWithdrawn"],
  },
  {
    name: "orders.Order",
    domain: "orders",
    store: "dynamodb",
    table: "orders-orders-table",
    key: "orderId",
    columns: asFields("orderId", "customerId", "productId", "quantity", "totalCents", "status"),
    optional: [],
    parts: {},
    privateColumns: ["internalNote"],
    events: ["OrderPlaced", "OrderShipped", "OrderCancelled"],
  },
  {
    name: "shipping.Shipment",
    domain: "shipping",
    store: "dynamodb",
    table: "shipping-shipments-table",
    key: "shipmentId",
    columns: asFields("shipmentId", "customerId", "city", "status"),
    optional: [],
    parts: {},
    privateColumns: ["carrierCostCents"],
    events: ["ShipmentPrepared", "ShipmentRedirected", "ShipmentDispatched"],
  },
];

/** The projections: table, aggregate, fields. */
export const PROJECTIONS: readonly { table: string; of: string; fields: string[] }[] = [
  { table: "orders-customers-projection", of: "customers.Customer", fields: ["name", "city"] },
  { table: "shipping-customers-projection", of: "customers.Customer", fields: ["name", "city"] },
  { table: "orders-products-projection", of: "catalog.Product", fields: ["title", "priceCents"] },
  { table: "shipping-orders-projection", of: "orders.Order", fields: ["totalCents", "status"] },
];

/** The landscape of the shop, with judges of its reactions. */
export function shopLandscape(effects: Readonly<Record<string, EffectJudge>> = {}): Landscape {
  return {
    aggregates: AGGREGATES,
    projections: PROJECTIONS.map(({ table, of, fields }) => {
      const [domain = "", name = ""] = table.split("-");
      return { table, domain, subscription: `${domain}-on-${name}`, aggregate: of, select: picking(fields) };
    }),
    reactions: [
      reaction("shipping", "placed", "orders.Order", "OrderPlaced"),
      reaction("shipping", "relocations", "customers.Customer", "CustomerRelocated"),
      reaction("orders", "dispatch", "shipping.Shipment", "ShipmentDispatched"),
      reaction("catalog", "orders", "orders.Order", "OrderPlaced"),
    ],
    outboxes: ["orders-outbox", "shipping-outbox"],
    inboxes: ["orders-inbox", "shipping-inbox"],
    privateNames: new Set(AGGREGATES.flatMap(({ privateColumns }) => privateColumns)),
    known: { effects, mostEventsPerCommand: 1 },
  };
}

/** The public state in a row of an aggregate's table. */
export function stateOf(aggregate: string, row: Row): Row {
  const { columns = {} } = AGGREGATES.find(({ name }) => name === aggregate) ?? {};
  const fields = Object.entries(columns).map(([field, column]) => [field, row[column]] as const);
  const state: Row = Object.fromEntries(fields.filter(([, value]) => value !== undefined));
  const { to } = (state["billing"] ?? {}) as Row;
  return to === undefined ? state : { ...state, billing: { to } };
}

function picking(fields: string[]) {
  return (state: Row): Row => Object.fromEntries(fields.map((field) => [field, state[field]]));
}

function reaction(domain: string, name: string, aggregate: string, type: string) {
  return {
    domain,
    subscription: `${domain}-on-${name}`,
    consumer: `${domain}.${name}`,
    to: { aggregate, type },
  };
}

function asFields(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, name]));
}
