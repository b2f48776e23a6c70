import { z } from "zod";
import { entityTable } from "../../runtime/define/table";
import { Shipment } from "./contract";

export const shipments = entityTable(Shipment, {
  private: () => z.object({ carrierCostCents: z.int().min(0) }),
  indexes: ["customerId"],
});
