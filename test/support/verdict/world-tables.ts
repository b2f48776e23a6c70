import type { Row } from "../../../dist/test/verdict/snapshot.js";

/** Aggregate -> the public state in a row of its table. */
export const STATES: Readonly<Record<string, (row: Row) => Row>> = {
  "customers.Customer": ({ customer_id, name, email, city }) => ({
    customerId: customer_id,
    name,
    email,
    city,
  }),
  "catalog.Product": ({ product_id, title, price_cents, stock }) => ({
    ...{ productId: product_id, title, priceCents: price_cents, stock },
  }),
  "orders.Order": ({ orderId, customerId, productId, quantity, totalCents, status }) => ({
    ...{ orderId, customerId, productId, quantity, totalCents, status },
  }),
  "shipping.Shipment": ({ shipmentId, customerId, city, status }) => ({
    shipmentId,
    customerId,
    city,
    status,
  }),
};

/** What each projection copies of which aggregate. */
export const PROJECTIONS: readonly { table: string; of: string; fields: string[] }[] = [
  { table: "orders-customers-projection", of: "customers.Customer", fields: ["name", "city"] },
  { table: "shipping-customers-projection", of: "customers.Customer", fields: ["name", "city"] },
  { table: "orders-products-projection", of: "catalog.Product", fields: ["title", "priceCents"] },
  { table: "shipping-orders-projection", of: "orders.Order", fields: ["totalCents", "status"] },
];
