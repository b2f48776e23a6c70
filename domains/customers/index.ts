import { monolithModule } from "../../runtime/define/domain";
import { closeCustomer, registerCustomer, relocateCustomer } from "./commands";
import { Customer } from "./contract";
import { customers } from "./tables";

export const domain = monolithModule({
  name: "customers",
  tables: { customers },
  events: [Customer],
  subscriptions: {},
  commands: { registerCustomer, relocateCustomer, closeCustomer },
});
