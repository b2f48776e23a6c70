import { z } from "zod";
import { command, microservice, reject } from "../../runtime";
import { placed, relocations } from "./reactions";
import { customers, orders, shipments } from "./tables";

/**
 * Sends a shipment to the city where the customer lives by now. The projections are asked again, because a relocation or a
 * cancellation may have overtaken the order that the shipment was prepared for.
 */
const dispatchShipment = command({
  uses: { shipments, customers, orders },
  input: () => z.object({ shipmentId: z.uuid() }),
  handle: async ({ shipmentId }, { shipments, customers, orders }) => {
    const shipment = await shipments.get(shipmentId);
    if (shipment.status === "dispatched") return [];
    const [{ city }, order] = await Promise.all([
      customers.get(shipment.customerId),
      orders.find(shipmentId),
    ]);
    if (order?.status !== "placed") {
      const found = order?.status ?? "unknown";
      return reject("ORDER_NOT_PLACED", `Order "${shipmentId}" is ${found} and is not dispatched.`);
    }
    return shipments
      .update(shipment, { status: "dispatched", city })
      .raise("ShipmentDispatched", { orderId: shipmentId, city });
  },
});

export const domain = microservice("shipping", {
  tables: { shipments },
  subscriptions: { customers, orders, placed, relocations },
  commands: { dispatchShipment },
});
