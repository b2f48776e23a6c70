import { z } from "zod";
import { command, reject } from "../../runtime/define/command";
import { customers } from "./tables";

export const registerCustomer = command({
  uses: { customers },
  input: () =>
    z.object({
      customerId: z.uuid(),
      name: z.string().min(1).max(200),
      email: z.email(),
      city: z.string().min(1).max(100),
      creditNote: z.string().max(500).optional(),
    }),
  handle: async ({ customerId, name, email, city, creditNote }, { customers }) => {
    if (await customers.find(customerId)) return alreadyRegistered(customerId);
    return customers.change("CustomerRegistered", {}, (change) =>
      change.insert({ customer_id: customerId, name, email, city, credit_note: creditNote ?? null }),
    );
  },
});

export const relocateCustomer = command({
  uses: { customers },
  input: () => z.object({ customerId: z.uuid(), city: z.string().min(1).max(100) }),
  handle: async ({ customerId, city }, { customers }) => {
    const customer = await customers.find(customerId);
    if (!customer) return unknownCustomer(customerId);
    if (customer.city === city) return [];
    return customers.change("CustomerRelocated", { from: customer.city, to: city }, (change) =>
      change.update({ city }).where("customer_id", "=", customerId).where("version", "=", customer.version),
    );
  },
});

export const closeCustomer = command({
  uses: { customers },
  input: () => z.object({ customerId: z.uuid(), reason: z.string().min(1).max(200) }),
  handle: async ({ customerId, reason }, { customers }) => {
    const customer = await customers.find(customerId);
    if (!customer) return unknownCustomer(customerId);
    return customers.change("CustomerClosed", { reason }, (change) =>
      change.delete().where("customer_id", "=", customerId).where("version", "=", customer.version),
    );
  },
});

function alreadyRegistered(customerId: string) {
  return reject("CUSTOMER_EXISTS", `Customer "${customerId}" is registered already. Use another id.`);
}

function unknownCustomer(customerId: string) {
  return reject("CUSTOMER_UNKNOWN", `There is no customer "${customerId}". Register the customer first.`);
}
