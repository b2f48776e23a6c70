import { describe, expect, test } from "vitest";
import { childTraceparent, newTraceparent } from "../../../runtime/envelope/trace-context";

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;

describe("a new trace context", () => {
  test("is a sampled W3C traceparent, and another one each time", () => {
    expect(newTraceparent()).toMatch(TRACEPARENT);
    expect(newTraceparent()).not.toBe(newTraceparent());
  });
});

describe("a child's trace context", () => {
  const parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00";

  test("keeps the trace and its flags, and has a span of its own", () => {
    const child = childTraceparent(parent);
    expect(child).toMatch(/^00-0123456789abcdef0123456789abcdef-[0-9a-f]{16}-00$/);
    expect(child).not.toBe(parent);
  });

  test.each([
    undefined,
    "",
    "garbage",
    "01-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
    `${parent}-x`,
  ])("starts a new trace when there is none to continue: %j", (traceparent) => {
    expect(childTraceparent(traceparent)).toMatch(TRACEPARENT);
    expect(childTraceparent(traceparent)).not.toContain("0123456789abcdef0123456789abcdef");
  });
});
