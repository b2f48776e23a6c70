import { z } from "zod";
import { command, monolithModule, table } from "../../runtime";
import { Customer } from "./contract";

const customers = table(Customer, {
  private: () => z.object({ creditNote: z.string().max(500).nullish() }),
});

const registerCustomer = command({
  uses: { customers },
  input: () =>
    z.object({
      customerId: z.uuid(),
      name: z.string().min(1).max(200),
      email: z.email(),
      city: z.string().min(1).max(100),
      billing: z.object({ to: z.string().min(1).max(200) }).optional(),
      creditNote: z.string().max(500).optional(),
    }),
  handle: async (fields, { customers }) => customers.create(fields).raise("CustomerRegistered"),
});

const relocateCustomer = command({
  uses: { customers },
  input: () => z.object({ customerId: z.uuid(), city: z.string().min(1).max(100) }),
  handle: async ({ customerId, city }, { customers }) => {
    const customer = await customers.get(customerId);
    if (customer.city === city) return [];
    return customers.update(customer, { city }).raise("CustomerRelocated", { from: customer.city, to: city });
  },
});

const closeCustomer = command({
  uses: { customers },
  input: () => z.object({ customerId: z.uuid(), reason: z.string().min(1).max(200) }),
  handle: async ({ customerId, reason }, { customers }) =>
    customers.remove(await customers.get(customerId)).raise("CustomerClosed", { reason }),
});

export const domain = monolithModule("customers", {
  tables: { customers },
  commands: { registerCustomer, relocateCustomer, closeCustomer },
});
