import { z } from "zod";
import { aggregate } from "../../runtime";

/** The shipment of an order, under the order's id. What the carrier is paid is shipping's own and is not published. */
export const Shipment = aggregate("shipping.Shipment", {
  key: "shipmentId",
  state: () =>
    z.object({
      shipmentId: z.uuid(),
      customerId: z.uuid(),
      /** Null as long as shipping has not heard of the customer. */
      city: z.string().nullable(),
      status: z.enum(["pending", "dispatched"]),
    }),
  events: {
    ShipmentPrepared: () => z.object({ orderId: z.string() }),
    ShipmentRedirected: () => z.object({ from: z.string().nullable(), to: z.string() }),
    ShipmentDispatched: () => z.object({ orderId: z.string(), city: z.string() }),
  },
});
