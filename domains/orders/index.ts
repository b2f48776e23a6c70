import { microservice } from "../../runtime/define/domain";
import { cancelOrder, placeOrder } from "./commands";
import { Order } from "./contract";
import { customers, dispatch, products } from "./subscriptions";
import { orders } from "./tables";

export const domain = microservice({
  name: "orders",
  tables: { orders },
  events: [Order],
  subscriptions: { customers, products, dispatch },
  commands: { placeOrder, cancelOrder },
});
