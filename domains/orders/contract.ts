import { z } from "zod";
import { aggregate } from "../../runtime/define/aggregate";

/** An order of one product. The internal note is the orders domain's own and is not published. */
export const Order = aggregate({
  domain: "orders",
  name: "Order",
  key: "orderId",
  state: () =>
    z.object({
      orderId: z.uuid(),
      customerId: z.uuid(),
      productId: z.uuid(),
      quantity: z.int().min(1),
      totalCents: z.int().min(0),
      status: z.enum(["placed", "shipped", "cancelled"]),
    }),
  events: {
    OrderPlaced: { version: 1, change: () => z.object({ productId: z.uuid(), quantity: z.int() }) },
    OrderShipped: { version: 1, change: () => z.object({ shipmentId: z.string() }) },
    OrderCancelled: { version: 1, change: () => z.object({ reason: z.string() }) },
  },
});
