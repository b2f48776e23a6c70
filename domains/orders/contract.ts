import { z } from "zod";
import { aggregate } from "../../runtime";

/** An order of one product. The internal note is private. */
export const Order = aggregate("orders.Order", {
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
    OrderPlaced: () => z.object({ productId: z.uuid(), quantity: z.int() }),
    OrderShipped: () => z.object({ shipmentId: z.string() }),
    OrderCancelled: () => z.object({ reason: z.string() }),
  },
});
