import { z } from "zod";
import { entityTable } from "../../runtime/define/table";
import { Order } from "./contract";

export const orders = entityTable(Order, {
  private: () => z.object({ internalNote: z.string().max(500).optional() }),
});
