import { describe, expect, test } from "vitest";
import { handleVerbs } from "../../../dist/components/function/handle-verbs.js";

/** Handlers as text, so that nothing compiles them into another form first. */
function verbsOf(text: string): Record<string, string[] | "any"> | undefined {
  const handler = new Function(`return (${text})`)() as () => unknown;
  const verbs = handleVerbs(handler);
  return (
    verbs &&
    Object.fromEntries([...verbs].map(([name, found]) => [name, found === "any" ? found : [...found].sort()]))
  );
}

describe("A handler's verbs are known", () => {
  test.each<[string, string, Record<string, string[] | "any">]>([
    ["that calls a verb", "async ({ id }, { orders }) => orders.find(id)", { orders: ["find"] }],
    [
      "that uses several handles and verbs",
      "async ({ id }, { orders, customers }) => { await customers.get(id); return orders.create({}).raise('A'); }",
      { customers: ["get"], orders: ["create"] },
    ],
    ["that names a handle and does not use it", "async (input, { orders }) => []", { orders: [] }],
    ["that takes no handles", "async () => []", {}],
    ["that takes input only", "async ({ id }) => [id]", {}],
    [
      "that queries an index by a literal",
      "async (i, { orders }) => (await orders.where('city', i.city)).map((row) => orders.remove(row))",
      { orders: ["remove", "where(city)"] },
    ],
    [
      "that queries an index by a variable",
      "async (i, { orders }) => orders.where(i.by, 1)",
      { orders: ["where"] },
    ],
    [
      "that takes where out of its handle",
      "async (i, { orders }) => { const { where } = orders; return where('city', 1); }",
      { orders: ["where"] },
    ],
    ["that renames a handle", "async (i, { orders: all }) => all.find(i.id)", { orders: ["find"] }],
    [
      "that takes verbs out of a handle",
      "async (i, { orders: { find, where: query } }) => find(i.id)",
      { orders: ["find", "where"] },
    ],
    [
      "that takes all handles by one name",
      "async (i, handles) => handles.orders.find(i.id)",
      { orders: ["find"] },
    ],
    [
      "that takes handles out of that name",
      "async (i, handles) => { const { orders, customers: { get } } = handles; return orders.find(i); }",
      { orders: ["find"], customers: ["get"] },
    ],
    [
      "that calls a verb by its quoted name",
      "async (i, { orders }) => orders['find'](i.id)",
      { orders: ["find"] },
    ],
    ["that may lack a handle", "async (i, { orders }) => orders?.find?.(i.id)", { orders: ["find"] }],
    [
      "that calls in a nested function",
      "async (i, { orders }) => Promise.all(i.ids.map((id) => orders.get(id)))",
      { orders: ["get"] },
    ],
    [
      "that is a function",
      "async function (i, { orders }) { return orders.find(i.id); }",
      { orders: ["find"] },
    ],
    [
      "that is a method",
      "{ async handle(i, { orders }) { return orders.find(i.id); } }.handle",
      { orders: ["find"] },
    ],
    [
      "that is a generator's method",
      "{ *handle(i, { orders }) { yield orders.find(i.id); } }.handle",
      { orders: ["find"] },
    ],
    ["that has handles by default", "async (i, { orders } = {}) => orders.find(i.id)", { orders: ["find"] }],
    [
      "that has properties of the same names",
      "async (i, { orders }) => ({ orders: i.orders, x: i.orders.where, y: orders.find(1) })",
      { orders: ["find"] },
    ],
    [
      "whose strings and comments mention a handle",
      "async (i, { orders }) => { /* orders.where */ return `orders ${'orders.get'}` + orders.find(1); }",
      { orders: ["find"] },
    ],
  ])("%s", (_title, text, expected) => {
    expect(verbsOf(text.startsWith("{") ? text.replace(/^(\{.*\})\.handle$/s, "($1).handle") : text)).toEqual(
      expected,
    );
  });
});

describe("A handle counts as used in every way", () => {
  test.each([
    ["that is passed on", "async (i, { orders }) => help(orders)"],
    ["that is put into an object", "async (i, { orders }) => help({ orders })"],
    ["that is put into a list", "async (i, { orders }) => [orders].map((one) => one.find(1))"],
    ["that gets another name", "async (i, { orders }) => { const all = orders; return all.find(1); }"],
    ["whose verb is computed", "async (i, { orders }) => orders[i.verb](1)"],
    ["that is spread", "async (i, { orders }) => ({ ...orders })"],
    ["that is returned by a function", "async (i, { orders }) => (() => orders)().find(1)"],
    [
      "of which all verbs are taken",
      "async (i, { orders }) => { const { find, ...rest } = orders; return rest; }",
    ],
    [
      "of which a verb with a computed name is taken",
      "async (i, { orders }) => { const { [i.verb]: call } = orders; return call(1); }",
    ],
    ["whose name another variable takes", "async (i, { orders }) => i.all.map((orders) => orders.find(1))"],
  ])("%s", (_title, text) => {
    expect(verbsOf(text)).toEqual({ orders: "any" });
  });
});

describe("Nothing is known of the code", () => {
  test.each([
    ["that passes all handles on", "async (i, handles) => help(i, handles)"],
    ["that keeps the rest of the handles", "async (i, { orders, ...rest }) => rest.customers.find(1)"],
    ["that takes its parameters as a list", "async (...all) => all[1].orders.find(1)"],
    ["that takes its parameters by arguments", "async function () { return arguments[1].orders.find(1); }"],
    ["that evaluates text", "async (i, { orders }) => eval(i.code)"],
    ["that takes a handle by a computed name", "async (i, { [i.name]: one }) => one.find(1)"],
    ["that is bound", "(async (i, { orders }) => orders.find(1)).bind(null)"],
    ["that is native", "Math.max"],
  ])("%s", (_title, text) => {
    expect(verbsOf(text)).toBeUndefined();
  });
});
