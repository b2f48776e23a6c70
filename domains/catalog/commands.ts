import { z } from "zod";
import { command, reject } from "../../runtime/define/command";
import { products } from "./tables";

export const listProduct = command({
  uses: { products },
  input: () =>
    z.object({
      productId: z.uuid(),
      title: z.string().min(1).max(200),
      priceCents: z.int().min(0).max(100_000_000),
      stock: z.int().min(0),
      supplierCostCents: z.int().min(0),
    }),
  handle: async ({ productId, title, priceCents, stock, supplierCostCents }, { products }) => {
    if (await products.find(productId)) {
      return reject("PRODUCT_EXISTS", `Product "${productId}" is listed already. Use another id.`);
    }
    return products.change("ProductListed", {}, (change) =>
      change.insert({
        product_id: productId,
        title,
        price_cents: priceCents,
        stock,
        supplier_cost_cents: supplierCostCents,
      }),
    );
  },
});

export const repriceProduct = command({
  uses: { products },
  input: () => z.object({ productId: z.uuid(), priceCents: z.int().min(0).max(100_000_000) }),
  handle: async ({ productId, priceCents }, { products }) => {
    const product = await products.find(productId);
    if (!product) return unknownProduct(productId);
    if (product.price_cents === priceCents) return [];
    return products.change(
      "ProductRepriced",
      { fromCents: product.price_cents, toCents: priceCents },
      (change) =>
        change
          .update({ price_cents: priceCents })
          .where("product_id", "=", productId)
          .where("version", "=", product.version),
    );
  },
});

export const withdrawProduct = command({
  uses: { products },
  input: () => z.object({ productId: z.uuid() }),
  handle: async ({ productId }, { products }) => {
    const product = await products.find(productId);
    if (!product) return unknownProduct(productId);
    return products.change("ProductWithdrawn", {}, (change) =>
      change.delete().where("product_id", "=", productId).where("version", "=", product.version),
    );
  },
});

function unknownProduct(productId: string) {
  return reject("PRODUCT_UNKNOWN", `There is no product "${productId}". List the product first.`);
}
