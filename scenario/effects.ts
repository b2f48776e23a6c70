import { isDeepStrictEqual } from "node:util";
import { type Facts, keyOf, rowAfter, rowBefore } from "../test/verdict/facts";
import type { EffectFault, EffectJudge, Reacted } from "../test/verdict/facts";
import type { Row } from "../test/verdict/snapshot";

/** What the shop's reactions have to do, by their names in the inbox. */
export const effects: Readonly<Record<string, EffectJudge>> = {
  "shipping.placed": judgePreparation,
  "shipping.relocations": judgeRedirections,
  "orders.dispatch": judgeShipping,
  "catalog.orders": judgeStock,
};

/** A placed order gets one shipment, under its id and for its customer. */
function judgePreparation({ event, effects }: Reacted, facts: Facts): EffectFault | undefined {
  const order = (event.data.state ?? {}) as Row;
  const expected = [{ shipmentId: event.aggregateId, customerId: order["customerId"], status: "pending" }];
  const found = effects.map((effect) => {
    const { shipmentId, customerId, status } = rowAfter(facts, effect);
    return { shipmentId, customerId, status };
  });
  return different(expected, found);
}

/**
 * A relocation redirects shipments of that customer that are not on the way. Which ones it has to find is not judged: one that is
 * prepared at the same time may be missed, and looks again when it is dispatched.
 */
function judgeRedirections({ event, effects }: Reacted, facts: Facts): EffectFault | undefined {
  const { to } = (event.data.change ?? {}) as Row;
  for (const effect of effects) {
    const before = rowBefore(facts, effect);
    const after = rowAfter(facts, effect);
    const expected = { customerId: event.aggregateId, before: "pending", after: "pending", city: to };
    const fault = different(expected, {
      customerId: after["customerId"],
      before: before["status"],
      after: after["status"],
      city: after["city"],
    });
    if (fault) return fault;
  }
  return undefined;
}

/** A dispatched shipment marks its order as shipped, unless that was cancelled: the two exclude each other. */
function judgeShipping({ event, effects }: Reacted, facts: Facts): EffectFault | undefined {
  const { orderId } = (event.data.change ?? {}) as Row;
  const history = facts.histories.get(keyOf("orders.Order", String(orderId))) ?? [];
  const isCancelled = history.some(({ row }) => row?.["status"] === "cancelled");
  const expected = isCancelled ? [] : [{ orderId, before: "placed", after: "shipped" }];
  const found = effects.map((effect) => ({
    orderId: effect.aggregateId,
    before: rowBefore(facts, effect)["status"],
    after: rowAfter(facts, effect)["status"],
  }));
  return different(expected, found);
}

/** A placed order takes its quantity from the product's stock, down to none, unless the product was withdrawn by then. */
function judgeStock({ event, effects, record }: Reacted, facts: Facts): EffectFault | undefined {
  const { productId, quantity } = (event.data.change ?? {}) as { productId?: string; quantity?: number };
  const [effect] = effects;
  if (!effect) {
    const isRight = wasGone(String(productId), record.processedAt, facts);
    return isRight ? undefined : { expected: `stock taken of "${productId}"`, found: "none" };
  }
  const stock = Number(rowBefore(facts, effect)["stock"]);
  const taken = Math.min(Number(quantity), stock);
  const expected = [{ productId, quantity: taken, orderId: event.aggregateId, left: stock - taken }];
  const found = effects.map((one) => ({
    productId: one.aggregateId,
    quantity: (one.data.change as Row)["quantity"],
    orderId: (one.data.change as Row)["orderId"],
    left: rowAfter(facts, one)["stock"],
  }));
  return different(expected, found);
}

/** Whether a product may have been away before a moment. Both times are the database's, and what it committed it told before. */
function wasGone(productId: string, at: string, facts: Facts): boolean {
  const history = facts.histories.get(keyOf("catalog.Product", productId)) ?? [];
  return history.some((change) => {
    const [event] = facts.eventsByVersion.get(keyOf(change.aggregate, change.id, change.newVersion)) ?? [];
    return change.operation === "delete" && event !== undefined && event.occurredAt <= at;
  });
}

function different(expected: unknown, found: unknown): EffectFault | undefined {
  return isDeepStrictEqual(found, expected) ? undefined : { expected, found };
}
