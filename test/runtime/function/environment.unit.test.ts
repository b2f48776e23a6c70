import { afterEach, describe, expect, test, vi } from "vitest";
import { ENVIRONMENT, requiredVariable, variableMap } from "../../../runtime/function/environment";

afterEach(() => vi.unstubAllEnvs());

describe("a required variable", () => {
  test("is read", () => {
    vi.stubEnv(ENVIRONMENT.eventBus, "domain-events");
    expect(requiredVariable(ENVIRONMENT.eventBus)).toBe("domain-events");
  });

  test.each([undefined, ""])("that is %j is told by its name, with the remedy", (value) => {
    vi.stubEnv(ENVIRONMENT.eventBus, value);
    expect(() => requiredVariable(ENVIRONMENT.eventBus)).toThrow(
      expect.objectContaining({
        code: "VARIABLE_MISSING",
        message:
          'The environment variable "EVENT_BUS_NAME" is not set. The component that declares this function sets it; deploy again.',
      }),
    );
  });
});

describe("a variable with names", () => {
  test("is read as an object", () => {
    vi.stubEnv(ENVIRONMENT.entityTables, '{"orders":"orders-1a2b3c4"}');
    expect(variableMap(ENVIRONMENT.entityTables)).toEqual({ orders: "orders-1a2b3c4" });
  });

  test("is required", () => {
    vi.stubEnv(ENVIRONMENT.entityTables, undefined);
    expect(() => variableMap(ENVIRONMENT.entityTables)).toThrow(
      expect.objectContaining({ code: "VARIABLE_MISSING" }),
    );
  });

  test.each(["orders-1a2b3c4", "[]", "null", '"text"', '{"orders":5}'])(
    "that holds %s is told by its name",
    (value) => {
      vi.stubEnv(ENVIRONMENT.entityTables, value);
      expect(() => variableMap(ENVIRONMENT.entityTables)).toThrow(
        expect.objectContaining({
          code: "VARIABLE_MALFORMED",
          message: expect.stringContaining('"ENTITY_TABLES"') as string,
        }),
      );
    },
  );
});
