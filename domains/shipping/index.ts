import { z } from "zod";
import { command, microservice, reject } from "../../runtime";
import { placed, relocations } from "./reactions";
import { customers, orders, shipments } from "./tables";

/**
 * Dispatches a shipment to the customer's current city. It reads the projections again, because the customer
 * may have relocated or the order may have been cancelled since the shipment was prepared.
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
