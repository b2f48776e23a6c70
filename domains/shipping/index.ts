import { microservice } from "../../runtime/define/domain";
import { dispatchShipment } from "./commands";
import { Shipment } from "./contract";
import { customers, orders, placed, relocations } from "./subscriptions";
import { shipments } from "./tables";

export const domain = microservice({
  name: "shipping",
  tables: { shipments },
  events: [Shipment],
  subscriptions: { customers, orders, placed, relocations },
  commands: { dispatchShipment },
});
