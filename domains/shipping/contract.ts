import { z } from "zod";
import { aggregate } from "../../runtime";

/** The shipment of an order, with the order's id. The price paid to the carrier is private. */
export const Shipment = aggregate("shipping.Shipment", {
  key: "shipmentId",
  state: () =>
    z.object({
      shipmentId: z.uuid(),
      customerId: z.uuid(),
      /** Null while shipping does not know the customer. */
      city: z.string().nullable(),
      status: z.enum(["pending", "dispatched"]),
    }),
  events: {
    ShipmentPrepared: () => z.object({ orderId: z.string() }),
    ShipmentRedirected: () => z.object({ from: z.string().nullable(), to: z.string() }),
    ShipmentDispatched: () => z.object({ orderId: z.string(), city: z.string() }),
  },
});
