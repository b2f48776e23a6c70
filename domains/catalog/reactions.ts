import { reaction } from "../../runtime/define/react";
import { Order } from "../orders/contract";
import { products } from "./tables";

/**
 * A placed order takes its quantity from the stock, down to none: the shop sells what it can reorder. A product withdrawn
 * meanwhile has no stock to take from.
 */
export const takeStock = reaction(Order, "OrderPlaced", {
  uses: { products },
  handle: async (event, { products }) => {
    const { productId, quantity } = event.change;
    const product = await products.find(productId);
    if (!product) return [];
    const taken = Math.min(quantity, product.stock);
    return products.change("ProductStockTaken", { orderId: event.aggregateId, quantity: taken }, (change) =>
      change
        .update({ stock: product.stock - taken })
        .where("product_id", "=", productId)
        .where("version", "=", product.version),
    );
  },
});
