import { z } from "zod";
import { command, monolithModule, react, table } from "../../runtime";
import { Order } from "../orders/contract";
import { Product } from "./contract";

const products = table(Product, {
  private: () => z.object({ supplierCostCents: z.int().min(0) }),
});

const listProduct = command({
  uses: { products },
  input: () =>
    z.object({
      productId: z.uuid(),
      title: z.string().min(1).max(200),
      priceCents: z.int().min(0).max(100_000_000),
      stock: z.int().min(0),
      supplierCostCents: z.int().min(0),
    }),
  handle: async (fields, { products }) => products.create(fields).raise("ProductListed"),
});

const repriceProduct = command({
  uses: { products },
  input: () => z.object({ productId: z.uuid(), priceCents: z.int().min(0).max(100_000_000) }),
  handle: async ({ productId, priceCents }, { products }) => {
    const product = await products.get(productId);
    if (product.priceCents === priceCents) return [];
    return products
      .update(product, { priceCents })
      .raise("ProductRepriced", { fromCents: product.priceCents, toCents: priceCents });
  },
});

const withdrawProduct = command({
  uses: { products },
  input: () => z.object({ productId: z.uuid() }),
  handle: async ({ productId }, { products }) =>
    products.remove(await products.get(productId)).raise("ProductWithdrawn"),
});

/**
 * A placed order takes its quantity from the stock, down to 0: the shop also sells what it can reorder. A
 * product that was withdrawn meanwhile has no stock to take.
 */
const orders = react(Order, {
  uses: { products },
  on: {
    OrderPlaced: async ({ aggregateId: orderId, change }, { products }) => {
      const product = await products.find(change.productId);
      if (!product) return [];
      const quantity = Math.min(change.quantity, product.stock);
      return products
        .update(product, { stock: product.stock - quantity })
        .raise("ProductStockTaken", { orderId, quantity });
    },
  },
});

export const domain = monolithModule("catalog", {
  tables: { products },
  subscriptions: { orders },
  commands: { listProduct, repriceProduct, withdrawProduct },
});
