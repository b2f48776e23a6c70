import { describe, expect, test } from "vitest";
import { codedError, errorCode } from "../../../runtime/function/coded-error";

describe("a coded error", () => {
  test("is an error with a code, a message and its cause", () => {
    const cause = new Error("Deeper");
    const error = codedError("EVENT_TOO_LARGE", "The event is too large.", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code: "EVENT_TOO_LARGE", message: "The event is too large.", cause });
    expect(error.stack).toContain("coded-error");
  });
});

describe("the code of an error", () => {
  test.each([
    ["ours", codedError("INVALID_STATE", "No."), "INVALID_STATE"],
    ["PostgreSQL's SQLSTATE", Object.assign(new Error("No."), { code: "23505" }), "23505"],
    [
      "an SDK's name",
      Object.assign(new Error("No."), { name: "ThrottlingException" }),
      "ThrottlingException",
    ],
    ["a TypeError's name", new TypeError("No."), "TypeError"],
    ["none in a plain error", new Error("No."), undefined],
    ["none in what is no error", "No.", undefined],
    ["none in nothing", undefined, undefined],
    ["none in null", null, undefined],
    ["none in a code that is no text", { code: 5 }, undefined],
  ])("is %s", (_, error, code) => {
    expect(errorCode(error)).toBe(code);
  });
});
