import { z } from "zod";
import { aggregate } from "../../runtime/define/aggregate";

/** A customer of the shop. Credit notes are the customers domain's own and are not published. */
export const Customer = aggregate({
  domain: "customers",
  name: "Customer",
  key: "customerId",
  state: () =>
    z.object({
      customerId: z.uuid(),
      name: z.string().min(1).max(200),
      email: z.email(),
      city: z.string().min(1).max(100),
    }),
  events: {
    CustomerRegistered: { version: 1, change: () => z.object({}) },
    CustomerRelocated: { version: 1, change: () => z.object({ from: z.string(), to: z.string() }) },
    CustomerClosed: { version: 1, change: () => z.object({ reason: z.string() }) },
  },
});
