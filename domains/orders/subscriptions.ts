import { project } from "../../runtime/define/project";
import { react, reaction } from "../../runtime/define/react";
import { Product } from "../catalog/contract";
import { Customer } from "../customers/contract";
import { Shipment } from "../shipping/contract";
import { orders } from "./tables";

export const customers = project(Customer, (state) => ({ name: state.name, city: state.city }));

export const products = project(Product, (state) => ({ title: state.title, priceCents: state.priceCents }));

/** An order is shipped once its shipment is on the way; one that was cancelled meanwhile stays cancelled. */
const markShipped = reaction(Shipment, "ShipmentDispatched", {
  uses: { orders },
  handle: async (event, { orders }) => {
    const order = await orders.find(event.change.orderId);
    if (order?.status !== "placed") return [];
    return orders.update("OrderShipped", { shipmentId: event.aggregateId }, order, { status: "shipped" });
  },
});

export const dispatch = react(Shipment, { ShipmentDispatched: markShipped });
