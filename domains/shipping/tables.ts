import { z } from "zod";
import { project, table } from "../../runtime";
import { Customer } from "../customers/contract";
import { Order } from "../orders/contract";
import { Shipment } from "./contract";

export const shipments = table(Shipment, {
  private: () => z.object({ carrierCostCents: z.int().min(0) }),
  indexes: ["customerId"],
});

export const customers = project(Customer, ({ name, city }) => ({ name, city }));

export const orders = project(Order, ({ totalCents, status }) => ({ totalCents, status }));
