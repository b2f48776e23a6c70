import fc from "fast-check";
import { expect, test } from "vitest";
import { readTableNames, writeTableNames } from "../../../runtime/function/table-names";

const names = (count: number, domain = "orders", ending = "projection") =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const name = `customer${index}`;
      return [name, `${domain}-${name}-${ending}-${(0x1a2b3c4 + index).toString(16)}`];
    }),
  );
const written = (tables: Record<string, string>) =>
  readTableNames("PROJECTION_TABLES", writeTableNames(tables));

test("A few tables are named in JSON", () => {
  expect(writeTableNames(names(2))).toBe(
    '{"customer0":"orders-customer0-projection-1a2b3c4","customer1":"orders-customer1-projection-1a2b3c5"}',
  );
  expect(writeTableNames({})).toBe("{}");
  expect(written({})).toEqual({});
});

test("Many tables are named in a compact form, in which each costs its name and its suffix", () => {
  const text = writeTableNames(names(46));
  expect(text.startsWith("orders-*-projection-1a2b3 customer0=c4 customer1=c5 ")).toBe(true);
  expect(text).not.toContain('"');
  expect(written(names(46))).toEqual(names(46));
});

test.each([
  ["a name that the domain's has too", { orders: "orders-orders-projection-1a2b3c4" }],
  ["a name that the ending has too", { projection: "orders-projection-projection-1a2b3c4" }],
  ["a physical name that has nothing of it", { other: "Some.table_of-mine" }],
  ["a part of another's name", { customer: "orders-customer-projection-1a2b3c4" }],
  ["an underscore", { order_lines: "orders-order_lines-projection-1a2b3c4" }],
])("%s is read as it was written", (_, odd) => {
  const tables = { ...names(40), ...odd };
  expect(written(tables)).toEqual(tables);
});

test("Any names of tables are read as they were written", () => {
  const table = fc.tuple(
    fc.stringMatching(/^[a-z][A-Za-z0-9_]{0,31}$/),
    fc.stringMatching(/^[a-zA-Z0-9_.-]{3,60}$/),
  );
  fc.assert(
    fc.property(fc.array(table, { maxLength: 60 }), (entries) => {
      const tables = Object.fromEntries(entries);
      expect(written(tables)).toEqual(tables);
    }),
  );
});

test("Any names that the components make are read as they were written", () => {
  const name = fc.stringMatching(/^[a-z][A-Za-z0-9]{0,23}$/);
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z][a-z0-9-]{0,19}$/),
      fc.uniqueArray(name, { maxLength: 60 }),
      (domain, all) => {
        const tables = Object.fromEntries(all.map((one) => [one, `${domain}-${one}-projection-1a2b3c4`]));
        expect(written(tables)).toEqual(tables);
      },
    ),
  );
});

test.each(["", "[]", "customers", "start customers", "a b=c d", '{"customers":1}', "start a=b=c"])(
  "%s is malformed",
  (value) => {
    expect(() => readTableNames("PROJECTION_TABLES", value)).toThrow(
      expect.objectContaining({ code: "VARIABLE_MALFORMED" }),
    );
  },
);
