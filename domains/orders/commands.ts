import { z } from "zod";
import { command, reject } from "../../runtime/define/command";
import { customers, products } from "./subscriptions";
import { orders } from "./tables";

/** Prices an order from this domain's own copies of the customer and the product: no other domain is asked. */
export const placeOrder = command({
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
    const { orderId, customerId, productId, quantity } = input;
    const [order, customer, product] = await Promise.all([
      orders.find(orderId),
      customers.find(customerId),
      products.find(productId),
    ]);
    if (order) return reject("ORDER_EXISTS", `Order "${orderId}" is placed already. Use another id.`);
    if (!customer) {
      return reject(
        "CUSTOMER_UNKNOWN",
        `Customer "${customerId}" is not known to orders (yet, or any more).`,
      );
    }
    if (!product) {
      return reject("PRODUCT_UNKNOWN", `Product "${productId}" is not known to orders (yet, or any more).`);
    }
    const totalCents = product.priceCents * quantity;
    return orders.create("OrderPlaced", { productId, quantity }, { ...input, totalCents, status: "placed" });
  },
});

export const cancelOrder = command({
  uses: { orders },
  input: () => z.object({ orderId: z.uuid(), reason: z.string().min(1).max(200) }),
  handle: async ({ orderId, reason }, { orders }) => {
    const order = await orders.find(orderId);
    if (!order) return reject("ORDER_UNKNOWN", `There is no order "${orderId}".`);
    if (order.status === "cancelled") return [];
    if (order.status === "shipped") {
      return reject("ORDER_SHIPPED", `Order "${orderId}" is shipped and cannot be cancelled.`);
    }
    return orders.update("OrderCancelled", { reason }, order, { status: "cancelled" });
  },
});
