import pMap from "p-map";
import { v7 as uuid } from "uuid";
import type { ScenarioResult, Stage } from "../local/run/scenario";
import type { CommandAnswer } from "../runtime/command/handler";
import { PRIVATE_MARKS } from "./writers";

const CITIES = ["Lyon", "Turin", "Ghent", "Porto", "Graz", "Malmo"];
const CUSTOMERS = 14;
const PRODUCTS = 12;
const ORDERS = 60;
/** Number of first customers and of first orders whose requests are sent twice. */
const REPEATED = 3;
/** Commands at a time. */
const CONCURRENCY = 6;

/**
 * A day of the shop, some 200 commands over the four domains: customers and products come and go, orders are
 * placed (some are rejected), cancelled and dispatched, customers move in between, concurrent commands change
 * the same aggregate, and some requests are sent twice.
 */
export async function tellShop({ send, settled, report }: Stage): Promise<ScenarioResult> {
  const surprises: string[] = [];
  const expecting =
    (expected: string[]) => async (domain: string, command: string, input: object, id?: string) => {
      const answer = await send(domain, command, input, id);
      if (!expected.includes(outcomeOf(answer))) {
        surprises.push(
          `${domain}.${command} answered ${JSON.stringify(answer)}; expected ${expected.join(" or ")}`,
        );
      }
      return answer;
    };
  const must = expecting(["done"]);
  // As a caller does who has not received the first answer.
  const mustTwice: typeof must = async (domain, command, input) => {
    const id = uuid();
    const first = await must(domain, command, input, id);
    const second = await must(domain, command, input, id);
    const repeated = JSON.stringify({ ...first, repeated: true });
    if (JSON.stringify(second) !== repeated) {
      surprises.push(
        `${domain}.${command} answered ${JSON.stringify(second)} to the same id; expected ${repeated}`,
      );
    }
    return second;
  };
  const firstTwice = (index: number) => (index < REPEATED ? mustTwice : must);
  const may = expecting(["done", "conflict"]);
  const refused = (code: string) => expecting([`rejected: ${code}`]);
  const each = <T>(items: T[], action: (item: T, index: number) => Promise<unknown>) =>
    pMap(items, action, { concurrency: CONCURRENCY });

  const customers = ids(CUSTOMERS);
  const products = ids(PRODUCTS);
  const orders = ids(ORDERS).map((orderId, index) => ({
    orderId,
    customerId: at(customers, index),
    productId: at(products, index * 5),
    quantity: 1 + (index % 3),
  }));

  report("customers register, products are listed");
  await Promise.all([
    each(customers, (customerId, index) =>
      firstTwice(index)("customers", "registerCustomer", registration(customerId, index)),
    ),
    each(products, (productId, index) => must("catalog", "listProduct", listing(productId, index))),
  ]);
  await settled();

  report("orders are placed while prices change and customers move; some are rejected");
  await Promise.all([
    each(orders, (order, index) =>
      firstTwice(index)("orders", "placeOrder", { ...order, internalNote: PRIVATE_MARKS.orders }),
    ),
    each(products, (productId, index) =>
      may("catalog", "repriceProduct", { productId, priceCents: 900 + index }),
    ),
    each(customers.slice(0, 6), (customerId, index) =>
      must("customers", "relocateCustomer", { customerId, city: at(CITIES, index + 1) }),
    ),
    refused("CUSTOMER_UNKNOWN")("orders", "placeOrder", {
      ...at(orders, 0),
      orderId: uuid(),
      customerId: uuid(),
    }),
    refused("PRODUCT_UNKNOWN")("orders", "placeOrder", {
      ...at(orders, 0),
      orderId: uuid(),
      productId: uuid(),
    }),
    refused("CUSTOMER_UNKNOWN")("customers", "closeCustomer", { customerId: uuid(), reason: "unknown" }),
    expecting(["invalid"])("orders", "placeOrder", { ...at(orders, 0), orderId: uuid(), quantity: 0 }),
    expecting(["invalid"])("customers", "renameCustomer", { customerId: at(customers, 0) }),
  ]);
  await settled();

  report("customers move before their orders are dispatched, several commands at once for the same customer");
  const movers = customers.slice(0, 4);
  await Promise.all([
    each([...movers, ...movers, ...movers], (customerId, index) =>
      may("customers", "relocateCustomer", { customerId, city: at(CITIES, index) }),
    ),
    each(orders.slice(0, 6), ({ orderId }) =>
      must("orders", "cancelOrder", { orderId, reason: "changed my mind" }),
    ),
  ]);
  await settled();

  report("orders are dispatched; a cancelled one is rejected");
  const dispatch = (shipmentId: string) => ["shipping", "dispatchShipment", { shipmentId }] as const;
  await each(orders.slice(6, 50), ({ orderId }) => must(...dispatch(orderId)));
  await each(orders.slice(0, 3), ({ orderId }) => refused("ORDER_NOT_PLACED")(...dispatch(orderId)));
  await settled();
  await each(orders.slice(6, 9), ({ orderId }) =>
    refused("ORDER_SHIPPED")("orders", "cancelOrder", { orderId, reason: "too late" }),
  );

  report("customers close, products are withdrawn, one of each comes back");
  const gone = customers.slice(-4);
  const withdrawn = products.slice(-3);
  await Promise.all([
    each(gone, (customerId) => must("customers", "closeCustomer", { customerId, reason: "moved abroad" })),
    each(withdrawn, (productId) => must("catalog", "withdrawProduct", { productId })),
  ]);
  await settled();
  await each(gone.slice(1), (customerId) =>
    refused("CUSTOMER_UNKNOWN")("orders", "placeOrder", { ...at(orders, 0), orderId: uuid(), customerId }),
  );
  await must("customers", "registerCustomer", registration(at(gone, 0), 3));
  await must("catalog", "listProduct", listing(at(withdrawn, 0), 3));
  await settled();
  const reborn = { orderId: uuid(), customerId: at(gone, 0), productId: at(withdrawn, 0), quantity: 1 };
  await must("orders", "placeOrder", reborn);
  await each(customers.slice(0, 6), (customerId, index) =>
    must("customers", "relocateCustomer", { customerId, city: `${at(CITIES, index)} North` }),
  );
  await settled();

  const customerId = at(customers, 1);
  return {
    surprises,
    tries: [
      `npm run domains -- send customers relocateCustomer '{"customerId":"${customerId}","city":"Lyon"}'`,
      `npm run domains -- show orders customers ${customerId}`,
    ],
    bypass: { module: "customers", sql: "update customers set city = 'Nowhere', version = version + 1" },
  };
}

function registration(customerId: string, index: number): object {
  const name = `Customer ${index + 1}`;
  return {
    customerId,
    name,
    email: `customer${index + 1}@example.com`,
    city: at(CITIES, index),
    creditNote: PRIVATE_MARKS.customers,
  };
}

function listing(productId: string, index: number): object {
  return {
    productId,
    title: `Product ${index + 1}`,
    priceCents: 1000 + index * 50,
    stock: 40,
    supplierCostCents: PRIVATE_MARKS.catalog,
  };
}

function outcomeOf(answer: CommandAnswer): string {
  return answer.outcome === "rejected" ? `rejected: ${answer.code}` : answer.outcome;
}

function ids(howMany: number): string[] {
  return Array.from({ length: howMany }, () => uuid());
}

/** The item at a position, wrapping around at the end. */
function at<T>(items: readonly T[], index: number): T {
  return items[index % items.length] as T;
}
