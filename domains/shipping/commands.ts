import { z } from "zod";
import { command, reject } from "../../runtime/define/command";
import { customers, orders } from "./subscriptions";
import { shipments } from "./tables";

/**
 * Sends a shipment to the city where the customer lives by now. The projections are asked again, since a relocation or a
 * cancellation may have overtaken the order that the shipment was prepared for.
 */
export const dispatchShipment = command({
  uses: { shipments, customers, orders },
  input: () => z.object({ shipmentId: z.uuid() }),
  handle: async ({ shipmentId }, { shipments, customers, orders }) => {
    const shipment = await shipments.find(shipmentId);
    if (!shipment) return reject("SHIPMENT_UNKNOWN", `There is no shipment "${shipmentId}" (yet).`);
    if (shipment.status === "dispatched") return [];
    const [customer, order] = await Promise.all([
      customers.find(shipment.customerId),
      orders.find(shipmentId),
    ]);
    if (!customer) {
      return reject(
        "CUSTOMER_UNKNOWN",
        `Customer "${shipment.customerId}" is not known to shipping (yet, or any more).`,
      );
    }
    if (order?.status !== "placed") {
      return reject(
        "ORDER_NOT_PLACED",
        `Order "${shipmentId}" is ${order?.status ?? "unknown"} and is not dispatched.`,
      );
    }
    return shipments.update("ShipmentDispatched", { orderId: shipmentId, city: customer.city }, shipment, {
      status: "dispatched",
      city: customer.city,
    });
  },
});
