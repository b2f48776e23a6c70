import type { Client } from "pg";
import { type Random, randomStream, seededUuid } from "../test/faults/plan/random";
import type { Operation, SqlOperation } from "../test/faults/writers/operation";

/** Domain -> a value that only its private columns hold. */
export const PRIVATE_MARKS = {
  customers: "for the eyes of customers only",
  orders: "for the eyes of orders only",
  catalog: 77_777_777,
} as const;

const CUSTOMERS = 60;
const PRODUCTS = 40;
/** Aggregates that many writers change at the same time. */
const HOT = 4;
const HOT_SHARE = 0.3;
const CITIES = ["Lyon", "Turin", "Ghent", "Porto", "Graz", "Malmö", "Łódź", "Sofia"];
/** A cancellation or a dispatch takes an order from this many operations back. */
const NEWEST_ORDER_BACK = 30;
const OLDEST_ORDER_BACK = 400;
const LARGEST_TRANSACTION = 12;

/** Relative frequency of each operation. */
const WEIGHTS: readonly (readonly [weight: number, make: (making: Making) => Operation])[] = [
  [10, registerCustomer],
  [24, relocateCustomer],
  [4, closeCustomer],
  [6, listProduct],
  [14, repriceProduct],
  [2, withdrawProduct],
  [24, placeOrder],
  [4, cancelOrder],
  [9, dispatchShipment],
  [2, (making) => sql(making, "committed")],
  [1, (making) => sql(making, "rolledBack")],
];

interface Making {
  seed: number;
  index: number;
  random: Random;
}

/** The nth operation of a seed. The first ones create customers and products. */
export function operationAt(seed: number, index: number): Operation {
  const making = { seed, index, random: randomStream(seed, `operation ${index}`) };
  if (index < CUSTOMERS) return registerCustomer(making, index);
  if (index < CUSTOMERS + PRODUCTS) return listProduct(making, index - CUSTOMERS);
  return chosen(making.random)(making);
}

function chosen(random: Random): (making: Making) => Operation {
  let drawn = random.between(
    1,
    WEIGHTS.reduce((sum, [weight]) => sum + weight, 0),
  );
  // The loop always ends at a weight; the fallback is for the compiler.
  return (WEIGHTS.find(([weight]) => (drawn -= weight) <= 0) ?? WEIGHTS[0]!)[1];
}

function command({ seed, index }: Making, domain: string, name: string, input: object): Operation {
  return { kind: "command", requestId: seededUuid(seed, `request ${index}`), domain, command: name, input };
}

function registerCustomer(making: Making, slot = slotOf(making, CUSTOMERS)): Operation {
  const { seed, index, random } = making;
  return command(making, "customers", "registerCustomer", {
    customerId: customerAt(seed, slot),
    name: `Customer ${slot} of ${index}`,
    email: `customer${slot}.${index}@example.com`,
    city: random.pick(CITIES),
    ...(random.chance(0.5) ? { billing: { to: `Accounts of ${slot}` } } : {}),
    creditNote: PRIVATE_MARKS.customers,
  });
}

function relocateCustomer(making: Making): Operation {
  const customerId = customerAt(making.seed, slotOf(making, CUSTOMERS));
  const city = `${making.random.pick(CITIES)} ${making.index}`;
  return command(making, "customers", "relocateCustomer", { customerId, city });
}

function closeCustomer(making: Making): Operation {
  const customerId = customerAt(making.seed, slotOf(making, CUSTOMERS));
  return command(making, "customers", "closeCustomer", { customerId, reason: "moved abroad" });
}

function listProduct(making: Making, slot = slotOf(making, PRODUCTS)): Operation {
  const { seed, index, random } = making;
  return command(making, "catalog", "listProduct", {
    productId: productAt(seed, slot),
    title: `Product ${slot} of ${index}`,
    priceCents: random.between(100, 9_999),
    stock: random.between(0, 500),
    supplierCostCents: PRIVATE_MARKS.catalog,
  });
}

function repriceProduct(making: Making): Operation {
  const productId = productAt(making.seed, slotOf(making, PRODUCTS));
  return command(making, "catalog", "repriceProduct", { productId, priceCents: 100 + making.index });
}

function withdrawProduct(making: Making): Operation {
  return command(making, "catalog", "withdrawProduct", {
    productId: productAt(making.seed, slotOf(making, PRODUCTS)),
  });
}

function placeOrder(making: Making): Operation {
  const { seed, index, random } = making;
  return command(making, "orders", "placeOrder", {
    orderId: orderAt(seed, index),
    customerId: customerAt(seed, slotOf(making, CUSTOMERS)),
    productId: productAt(seed, slotOf(making, PRODUCTS)),
    quantity: random.between(1, 5),
    internalNote: PRIVATE_MARKS.orders,
  });
}

function cancelOrder(making: Making): Operation {
  const orderId = earlierOrder(making);
  return command(making, "orders", "cancelOrder", { orderId, reason: "changed my mind" });
}

function dispatchShipment(making: Making): Operation {
  return command(making, "shipping", "dispatchShipment", { shipmentId: earlierOrder(making) });
}

function sql(making: Making, how: SqlOperation["how"]): Operation {
  const { seed, index, random } = making;
  const slots = random.shuffled(Array.from({ length: CUSTOMERS }, (_, slot) => slot));
  const customerIds = slots
    .slice(0, random.between(2, LARGEST_TRANSACTION))
    .map((slot) => customerAt(seed, slot));
  const city = `${random.pick(CITIES)} ${index}`;
  const transactionId = `sql-${seed}-${index}`;
  return {
    ...{ kind: "sql", module: "customers" },
    ...{ transactionId, how },
    change: (client) => relocate(client, transactionId, customerIds, city),
  };
}

/**
 * Relocates several customers with raw SQL, as legacy code beside the runtime may. It keeps more in the column with
 * the address of bills than the contract publishes.
 *
 * @returns the number of relocated customers
 */
async function relocate(
  client: Client,
  transactionId: string,
  customerIds: string[],
  city: string,
): Promise<number> {
  const { rows } = await client.query<{ customer_id: string; version: number; former: string }>(
    `with former as (select customer_id, city from customers where customer_id = any($1) for update)
     update customers set city = $2, version = version + 1, billing = $3::jsonb from former where customers.customer_id = former.customer_id
     returning customers.customer_id, customers.version, former.city as former`,
    [customerIds, city, JSON.stringify({ to: `Accounts of ${city}`, iban: PRIVATE_MARKS.customers })],
  );
  for (const { customer_id: id, version, former } of rows) {
    // Half of it as legacy code that calls the function, half as code that makes the whole row.
    if (version % 2 === 0) {
      const change = JSON.stringify({ from: former, to: city });
      await client.query("select raise_event('customers.Customer', $1, 'CustomerRelocated', $2, $3)", [
        ...[id, change, transactionId],
      ]);
      continue;
    }
    await client.query(
      `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
       select gen_random_uuid(), 'customers.Customer', customer_id, $2, 'CustomerRelocated', 1, jsonb_build_object(
         'change', jsonb_build_object('from', $3::text, 'to', city),
         'state', jsonb_build_object('customerId', customer_id, 'name', name, 'email', email, 'city', city,
           'billing', jsonb_build_object('to', billing ->> 'to'))), $4
       from customers where customer_id = $1`,
      [id, version, former, transactionId],
    );
  }
  return rows.length;
}

function slotOf({ random }: Making, slots: number): number {
  return random.chance(HOT_SHARE) ? random.between(0, HOT - 1) : random.between(0, slots - 1);
}

/** The newest order that was placed far enough back; the oldest one if none is that old. */
function earlierOrder({ seed, index, random }: Making): string {
  const first = CUSTOMERS + PRODUCTS;
  const back = Math.max(first, index - random.between(NEWEST_ORDER_BACK, OLDEST_ORDER_BACK));
  const isOrder = (earlier: number) => chosen(randomStream(seed, `operation ${earlier}`)) === placeOrder;
  for (let earlier = back; earlier >= first; earlier -= 1)
    if (isOrder(earlier)) return orderAt(seed, earlier);
  for (let later = back; later < index; later += 1) if (isOrder(later)) return orderAt(seed, later);
  return orderAt(seed, back);
}

function customerAt(seed: number, slot: number): string {
  return seededUuid(seed, `customer ${slot}`);
}

function productAt(seed: number, slot: number): string {
  return seededUuid(seed, `product ${slot}`);
}

function orderAt(seed: number, index: number): string {
  return seededUuid(seed, `order ${index}`);
}
