import { isDeepStrictEqual } from "node:util";
import { type Facts, keyOf, rowAfter, rowBefore } from "../test/verdict/facts";
import type { EffectFault, EffectJudge, Reacted } from "../test/verdict/facts";
import type { Row } from "../test/verdict/snapshot";

/** Judges the effects of the shop's reactions, by their names in the inbox. */
export const effects: Readonly<Record<string, EffectJudge>> = {
  "shipping.placed": judgePreparation,
  "shipping.relocations": judgeRedirections,
  "orders.dispatch": judgeShipping,
  "catalog.orders": judgeStock,
};

/** A placed order gets one shipment, with its id and for its customer. */
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
 * A relocation redirects pending shipments of that customer. Which ones it must find is not judged: it may
 * miss one that is being prepared at the same time, whose dispatch reads the city again.
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

/** A dispatched shipment marks its order as shipped, unless the order was cancelled. */
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

/**
 * A placed order takes its quantity from the product's stock, down to 0, unless the product was withdrawn by
 * then.
 */
function judgeStock({ event, effects, record }: Reacted, facts: Facts): EffectFault | undefined {
  const { productId, quantity } = (event.data.change ?? {}) as { productId?: string; quantity?: number };
  const [effect] = effects;
  if (!effect) {
    const isRight = wasWithdrawn(String(productId), record.processedAt, facts);
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

/**
 * Whether a product may have been withdrawn before a moment. Both times are the database's; an event's time
 * is before its commit.
 */
function wasWithdrawn(productId: string, at: string, facts: Facts): boolean {
  const history = facts.histories.get(keyOf("catalog.Product", productId)) ?? [];
  return history.some((change) => {
    const [event] = facts.eventsByVersion.get(keyOf(change.aggregate, change.id, change.newVersion)) ?? [];
    return change.operation === "delete" && event !== undefined && event.occurredAt <= at;
  });
}

function different(expected: unknown, found: unknown): EffectFault | undefined {
  return isDeepStrictEqual(found, expected) ? undefined : { expected, found };
}
