import { z } from "zod";
import { aggregate } from "../../runtime";

/** A product on sale. The price paid to the supplier is private. */
export const Product = aggregate("catalog.Product", {
  key: "productId",
  state: () =>
    z.object({
      productId: z.uuid(),
      title: z.string().min(1).max(200),
      priceCents: z.int().min(0).max(100_000_000),
      stock: z.int().min(0),
    }),
  events: {
    ProductListed: () => z.object({}),
    ProductRepriced: () => z.object({ fromCents: z.int(), toCents: z.int() }),
    ProductStockTaken: () => z.object({ orderId: z.string(), quantity: z.int() }),
    ProductWithdrawn: () => z.object({}),
  },
});
