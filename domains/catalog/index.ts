import { monolithModule } from "../../runtime/define/domain";
import { react } from "../../runtime/define/react";
import { Order } from "../orders/contract";
import { listProduct, repriceProduct, withdrawProduct } from "./commands";
import { Product } from "./contract";
import { takeStock } from "./reactions";
import { products } from "./tables";

export const domain = monolithModule({
  name: "catalog",
  tables: { products },
  events: [Product],
  subscriptions: {
    orders: react(Order, { OrderPlaced: takeStock }),
  },
  commands: { listProduct, repriceProduct, withdrawProduct },
});
