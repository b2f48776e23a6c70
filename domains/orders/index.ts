import { z } from "zod";
import { command, microservice, project, react, reject, table } from "../../runtime";
import { Product } from "../catalog/contract";
import { Customer } from "../customers/contract";
import { Shipment } from "../shipping/contract";
import { Order } from "./contract";

const orders = table(Order, {
  private: () => z.object({ internalNote: z.string().max(500).optional() }),
});

const customers = project(Customer, ({ name, city }) => ({ name, city }));

const products = project(Product, ({ title, priceCents }) => ({ title, priceCents }));

/**
 * Prices an order from this domain's copies of the customer and the product, without calling another domain.
 */
const placeOrder = command({
  uses: { orders, customers, products },
  input: () =>
    z.object({
      orderId: z.uuid(),
      customerId: z.uuid(),
      productId: z.uuid(),
      quantity: z.int().min(1).max(1000),
      internalNote: z.string().max(500).optional(),
    }),
  handle: async (input, { orders, customers, products }) => {
    const { customerId, productId, quantity } = input;
    const [product] = await Promise.all([products.get(productId), customers.get(customerId)]);
    const totalCents = product.priceCents * quantity;
    return orders
      .create({ ...input, totalCents, status: "placed" })
      .raise("OrderPlaced", { productId, quantity });
  },
});

const cancelOrder = command({
  uses: { orders },
  input: () => z.object({ orderId: z.uuid(), reason: z.string().min(1).max(200) }),
  handle: async ({ orderId, reason }, { orders }) => {
    const order = await orders.get(orderId);
    if (order.status === "cancelled") return [];
    if (order.status === "shipped") {
      return reject("ORDER_SHIPPED", `Order "${orderId}" is shipped and cannot be cancelled.`);
    }
    return orders.update(order, { status: "cancelled" }).raise("OrderCancelled", { reason });
  },
});

/**
 * An order is shipped once its shipment is dispatched; an order that was cancelled meanwhile stays cancelled.
 */
const dispatch = react(Shipment, {
  uses: { orders },
  on: {
    ShipmentDispatched: async ({ aggregateId: shipmentId, change }, { orders }) => {
      const order = await orders.find(change.orderId);
      if (order?.status !== "placed") return [];
      return orders.update(order, { status: "shipped" }).raise("OrderShipped", { shipmentId });
    },
  },
});

export const domain = microservice("orders", {
  tables: { orders },
  subscriptions: { customers, products, dispatch },
  commands: { placeOrder, cancelOrder },
});
