/**
 * A second aggregate for tests of the runtime: its fields have other names than its columns in PostgreSQL.
 */
import { z } from "zod";
import { aggregate, table } from "../../../runtime";

/** A line of an order; its cost is private. */
const OrderLine = aggregate("sales.OrderLine", {
  key: "orderID",
  state: () =>
    z.object({
      orderID: z.string().min(1),
      buyerName: z.string().min(1),
      siteURL: z.string(),
      address2: z.string(),
      lineCount: z.int().min(0),
    }),
  events: {
    LinePlaced: () => z.object({}),
    LineMoved: () => z.object({ fromURL: z.string(), toURL: z.string() }),
    LineCancelled: () => z.object({ reason: z.string() }),
  },
});

/** The entity table of order lines. Two of its PostgreSQL columns are not the field in snake_case. */
export const orderLines = table(OrderLine, {
  private: () => z.object({ unitCostCents: z.int().nullish() }),
  indexes: ["siteURL", "buyerName"],
  columns: { buyerName: "cust_no", unitCostCents: "cost" },
});

/** Makes the table in PostgreSQL, as a migration would. */
export const ORDER_LINES_SQL = `
  create table order_lines (
    order_id text primary key,
    cust_no text not null,
    site_url text not null default 'https://example.com',
    address2 text not null,
    line_count integer not null,
    cost integer,
    version integer not null
  );
  create index order_lines_site_url on order_lines (site_url);
  grant select, insert, update, delete on order_lines to monolith_application;
  select guard_entity_table('order_lines', 'sales.OrderLine', 'order_id');
`;
