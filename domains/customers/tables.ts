import { z } from "zod";
import { entityTable } from "../../runtime/define/table";
import { Customer } from "./contract";

export const customers = entityTable(Customer, {
  columns: { customerId: "customer_id", name: "name", email: "email", city: "city" },
  private: () => z.object({ credit_note: z.string().max(500).nullish() }),
});
