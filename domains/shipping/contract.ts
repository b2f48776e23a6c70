import { z } from "zod";
import { aggregate } from "../../runtime/define/aggregate";

/** The shipment of an order, under the order's id. What the carrier is paid is shipping's own and is not published. */
export const Shipment = aggregate({
  domain: "shipping",
  name: "Shipment",
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
    ShipmentPrepared: { version: 1, change: () => z.object({ orderId: z.string() }) },
    ShipmentRedirected: {
      version: 1,
      change: () => z.object({ from: z.string().nullable(), to: z.string() }),
    },
    ShipmentDispatched: { version: 1, change: () => z.object({ orderId: z.string(), city: z.string() }) },
  },
});
