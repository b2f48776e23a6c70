import { z } from "zod";
import { aggregate } from "../../runtime/define/aggregate";

/** A product on sale. What the supplier is paid is the catalog's own and is not published. */
export const Product = aggregate({
  domain: "catalog",
  name: "Product",
  key: "productId",
  state: () =>
    z.object({
      productId: z.uuid(),
      title: z.string().min(1).max(200),
      priceCents: z.int().min(0).max(100_000_000),
      stock: z.int().min(0),
    }),
  events: {
    ProductListed: { version: 1, change: () => z.object({}) },
    ProductRepriced: { version: 1, change: () => z.object({ fromCents: z.int(), toCents: z.int() }) },
    ProductStockTaken: { version: 1, change: () => z.object({ orderId: z.string(), quantity: z.int() }) },
    ProductWithdrawn: { version: 1, change: () => z.object({}) },
  },
});
