/**
 * The shop as the verdict knows it: written down by hand after reading `domains/`, since code that is shared with the program would
 * repeat the program's mistakes. Whoever changes a domain of the shop changes this too; `takeSnapshot` refuses tables that are not here.
 */

/** An aggregate and the table that holds it. */
export interface AggregateFacts {
  /** "<domain>.<Aggregate>" */
  name: string;
  domain: string;
  store: "postgres" | "dynamodb";
  /** Table of the monolith, or logical name of the DynamoDB table. */
  table: string;
  /** Column of the key. */
  key: string;
  /** Public field -> column. */
  columns: Readonly<Record<string, string>>;
  /** Private columns, in each spelling that a field of them might have. */
  privateColumns: readonly string[];
}

/** A projection: which fields of which aggregate are copied where. */
export interface ProjectionFacts {
  /** Logical name of the table. */
  table: string;
  /** Logical name of the subscription that fills it. */
  subscription: string;
  /** The domain that it belongs to. */
  domain: string;
  aggregate: string;
  fields: readonly string[];
}

/** A reaction: what it reacts to, and what it does. */
export interface ReactionFacts {
  subscription: string;
  /** Its name in the inbox. */
  consumer: string;
  to: { aggregate: string; type: string };
  /** The event type of its effect. */
  makes: string;
}

/** Every aggregate of the shop. */
export const AGGREGATES: readonly AggregateFacts[] = [
  {
    name: "customers.Customer",
    domain: "customers",
    store: "postgres",
    table: "customers",
    key: "customer_id",
    columns: { customerId: "customer_id", name: "name", email: "email", city: "city" },
    privateColumns: ["credit_note", "creditNote"],
  },
  {
    name: "catalog.Product",
    domain: "catalog",
    store: "postgres",
    table: "products",
    key: "product_id",
    columns: { productId: "product_id", title: "title", priceCents: "price_cents", stock: "stock" },
    privateColumns: ["supplier_cost_cents", "supplierCostCents"],
  },
  {
    name: "orders.Order",
    domain: "orders",
    store: "dynamodb",
    table: "orders-orders-table",
    key: "orderId",
    columns: asFields("orderId", "customerId", "productId", "quantity", "totalCents", "status"),
    privateColumns: ["internalNote"],
  },
  {
    name: "shipping.Shipment",
    domain: "shipping",
    store: "dynamodb",
    table: "shipping-shipments-table",
    key: "shipmentId",
    columns: asFields("shipmentId", "customerId", "city", "status"),
    privateColumns: ["carrierCostCents"],
  },
];

/** Every projection of the shop. */
export const PROJECTIONS: readonly ProjectionFacts[] = [
  {
    table: "orders-customers-projection",
    subscription: "orders-on-customers",
    domain: "orders",
    aggregate: "customers.Customer",
    fields: ["name", "city"],
  },
  {
    table: "orders-products-projection",
    subscription: "orders-on-products",
    domain: "orders",
    aggregate: "catalog.Product",
    fields: ["title", "priceCents"],
  },
  {
    table: "shipping-customers-projection",
    subscription: "shipping-on-customers",
    domain: "shipping",
    aggregate: "customers.Customer",
    fields: ["name", "city"],
  },
  {
    table: "shipping-orders-projection",
    subscription: "shipping-on-orders",
    domain: "shipping",
    aggregate: "orders.Order",
    fields: ["totalCents", "status"],
  },
];

/** Every reaction of the shop. */
export const REACTIONS: readonly ReactionFacts[] = [
  {
    subscription: "shipping-on-placed",
    consumer: "shipping.placed",
    to: { aggregate: "orders.Order", type: "OrderPlaced" },
    makes: "ShipmentPrepared",
  },
  {
    subscription: "shipping-on-relocations",
    consumer: "shipping.relocations",
    to: { aggregate: "customers.Customer", type: "CustomerRelocated" },
    makes: "ShipmentRedirected",
  },
  {
    subscription: "orders-on-dispatch",
    consumer: "orders.dispatch",
    to: { aggregate: "shipping.Shipment", type: "ShipmentDispatched" },
    makes: "OrderShipped",
  },
  {
    subscription: "catalog-on-orders",
    consumer: "catalog.orders",
    to: { aggregate: "orders.Order", type: "OrderPlaced" },
    makes: "ProductStockTaken",
  },
];

/** Names that no field of an event or a projection may bear. */
export const PRIVATE_NAMES: ReadonlySet<string> = new Set(
  AGGREGATES.flatMap(({ privateColumns }) => privateColumns),
);
/** Logical names of the microservices' outbox tables; the monolith's modules share one. */
export const DYNAMODB_OUTBOXES: readonly string[] = ["orders-outbox", "shipping-outbox"];
/** Logical names of the microservices' inbox tables; the monolith's modules share one. */
export const DYNAMODB_INBOXES: readonly string[] = ["orders-inbox", "shipping-inbox"];
/** No command of the shop changes more than one aggregate. */
export const MOST_EVENTS_PER_COMMAND = 1;

/** The consumer that a domain's inbox knows commands by. */
export function commandConsumer(domain: string): string {
  return `${domain}.commands`;
}

function asFields(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, name]));
}
