import { z } from "zod";
import { entityTable } from "../../runtime/define/table";
import { Product } from "./contract";

export const products = entityTable(Product, {
  columns: { productId: "product_id", title: "title", priceCents: "price_cents", stock: "stock" },
  private: () => z.object({ supplier_cost_cents: z.int().min(0) }),
});
