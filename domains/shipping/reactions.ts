import { MAX_CHANGES_PER_COMMIT, react } from "../../runtime";
import { Customer } from "../customers/contract";
import { Order } from "../orders/contract";
import { customers, shipments } from "./tables";

const CARRIER_COST_CENTS = 450;

/** A placed order gets a shipment to the city that shipping knows; dispatchShipment reads it again. */
export const placed = react(Order, {
  uses: { shipments, customers },
  on: {
    OrderPlaced: async ({ state: order }, { shipments, customers }) => {
      if (!order || (await shipments.find(order.orderId))) return [];
      const customer = await customers.find(order.customerId);
      return shipments
        .create({
          shipmentId: order.orderId,
          customerId: order.customerId,
          city: customer?.city ?? null,
          status: "pending",
          carrierCostCents: CARRIER_COST_CENTS,
        })
        .raise("ShipmentPrepared", { orderId: order.orderId });
    },
  },
});

/**
 * Redirects a relocated customer's pending shipments, as many as fit into one transaction. Any others keep
 * their city until dispatchShipment, which reads the customer's current city.
 */
export const relocations = react(Customer, {
  uses: { shipments },
  on: {
    CustomerRelocated: async ({ aggregateId, change: { to } }, { shipments }) => {
      const pending = (await shipments.where("customerId", aggregateId)).filter(
        ({ status, city }) => status === "pending" && city !== to,
      );
      return pending
        .slice(0, MAX_CHANGES_PER_COMMIT)
        .map((shipment) =>
          shipments.update(shipment, { city: to }).raise("ShipmentRedirected", { from: shipment.city, to }),
        );
    },
  },
});
