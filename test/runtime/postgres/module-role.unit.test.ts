import { expect, test } from "vitest";
import { moduleRole } from "../../../runtime/postgres/module-role";

test("A module's role is named after the database and the module", () => {
  expect(moduleRole("shop", "customers")).toBe("shop_module_customers");
  expect(moduleRole("monolith", "application")).toBe("monolith_module_application");
});

test("Modules whose names differ only where PostgreSQL would cut them off have different roles", () => {
  const database = "d".repeat(56);
  const roles = ["abcdefghijklmnopqrst", "abcdefghijklmnopqrsu", "a"].map((name) =>
    moduleRole(database, name),
  );
  expect(new Set(roles).size).toBe(3);
  for (const role of roles) expect(role).toMatch(/^[a-z0-9_]{63}$/);
  expect(moduleRole("d".repeat(35), "m".repeat(20))).toBe(`${"d".repeat(35)}_module_${"m".repeat(20)}`);
});
