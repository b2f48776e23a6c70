import { describe, expect, test, vi } from "vitest";
import { mapIn, readEnvironment } from "../../../runtime/function/environment";

describe("the environment", () => {
  test("is read by the names that are asked for, and nothing else", () => {
    vi.stubEnv("EVENT_BUS_NAME", "domain-events");
    vi.stubEnv("OUTBOX_TABLE", "outbox-1a2b3c4");
    expect(readEnvironment(["EVENT_BUS_NAME"])).toEqual({ EVENT_BUS_NAME: "domain-events" });
    expect(readEnvironment([])).toEqual({});
  });

  test.each([undefined, ""])("names a variable that is %j, with the remedy", (value) => {
    vi.stubEnv("OUTBOX_TABLE", "outbox-1a2b3c4");
    vi.stubEnv("EVENT_BUS_NAME", value);
    expect(() => readEnvironment(["OUTBOX_TABLE", "EVENT_BUS_NAME"])).toThrow(
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
    expect(mapIn("ENTITY_TABLES", '{"orders":"orders-1a2b3c4"}')).toEqual({ orders: "orders-1a2b3c4" });
  });

  test.each(["orders-1a2b3c4", "[]", "null", '"text"', '{"orders":5}'])(
    "that holds %s is refused by its name",
    (value) => {
      expect(() => mapIn("ENTITY_TABLES", value)).toThrow(
        expect.objectContaining({
          code: "VARIABLE_MALFORMED",
          message: expect.stringContaining('"ENTITY_TABLES"') as string,
        }),
      );
    },
  );
});
