import { z } from "zod";
import { aggregate } from "../../runtime";

/** A customer of the shop. Credit notes are private. */
export const Customer = aggregate("customers.Customer", {
  key: "customerId",
  state: () =>
    z.object({
      customerId: z.uuid(),
      name: z.string().min(1).max(200),
      email: z.email(),
      city: z.string().min(1).max(100),
      /** Who gets the bills. Accounting keeps more in its column, which stays private. */
      billing: z.object({ to: z.string().min(1).max(200) }).optional(),
    }),
  events: {
    CustomerRegistered: () => z.object({}),
    CustomerRelocated: () => z.object({ from: z.string(), to: z.string() }),
    CustomerClosed: () => z.object({ reason: z.string() }),
  },
});
