import { MAX_CHANGES_PER_COMMIT } from "../../runtime/store/commit-limit";
import { project } from "../../runtime/define/project";
import { react, reaction } from "../../runtime/define/react";
import { Customer } from "../customers/contract";
import { Order } from "../orders/contract";
import { shipments } from "./tables";

const CARRIER_COST_CENTS = 450;

export const customers = project(Customer, (state) => ({ name: state.name, city: state.city }));

export const orders = project(Order, (state) => ({ totalCents: state.totalCents, status: state.status }));

/** A placed order gets a shipment to the city that shipping knows of; dispatchShipment looks again. */
const prepareShipment = reaction(Order, "OrderPlaced", {
  uses: { shipments, customers },
  handle: async (event, { shipments, customers }) => {
    const order = event.state;
    if (!order || (await shipments.find(order.orderId))) return [];
    const customer = await customers.find(order.customerId);
    return shipments.create(
      "ShipmentPrepared",
      { orderId: order.orderId },
      {
        shipmentId: order.orderId,
        customerId: order.customerId,
        city: customer?.city ?? null,
        status: "pending",
        carrierCostCents: CARRIER_COST_CENTS,
      },
    );
  },
});

/**
 * A relocated customer's shipments follow, as long as they are not on the way: as many as go into one transaction. What is beyond
 * them keeps its city until dispatchShipment, which asks where the customer lives by then.
 */
const redirectShipments = reaction(Customer, "CustomerRelocated", {
  uses: { shipments },
  handle: async (event, { shipments }) => {
    const { to } = event.change;
    const pending = (await shipments.where("customerId", event.aggregateId)).filter(
      (shipment) => shipment.status === "pending" && shipment.city !== to,
    );
    return pending
      .slice(0, MAX_CHANGES_PER_COMMIT)
      .map((shipment) =>
        shipments.update("ShipmentRedirected", { from: shipment.city, to }, shipment, { city: to }),
      );
  },
});

export const placed = react(Order, { OrderPlaced: prepareShipment });

export const relocations = react(Customer, { CustomerRelocated: redirectShipments });
