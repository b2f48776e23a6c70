import { describe, expect, test } from "vitest";
import { columnsOf, snakeCase, toColumns } from "../../../runtime/postgres/columns";
import { orderLines } from "../../support/domain/order-line";

describe("the column of a field", () => {
  test.each([
    ["owner", "owner"],
    ["priceCents", "price_cents"],
    ["siteURL", "site_url"],
    ["orderID", "order_id"],
    ["URLOfSite", "url_of_site"],
    ["address2", "address2"],
    ["line2Count", "line2_count"],
    ["already_so", "already_so"],
  ])("of %s is %s", (field, column) => {
    expect(snakeCase(field)).toBe(column);
  });

  test("is the one that the table names, and the field in snake_case otherwise", () => {
    const published = {
      orderID: "order_id",
      buyerName: "cust_no",
      siteURL: "site_url",
      address2: "address2",
      lineCount: "line_count",
    };
    expect(columnsOf(orderLines)).toEqual({
      all: { ...published, unitCostCents: "cost" },
      public: published,
      key: "order_id",
    });
  });
});

test("Of values, those that the table has go to their columns, and no others", () => {
  const fields = { orderID: "7", buyerName: undefined, lineCount: null, version: 5, toString: 1, other: 2 };
  expect(toColumns(columnsOf(orderLines).all, fields)).toEqual({
    order_id: "7",
    cust_no: undefined,
    line_count: null,
  });
});
