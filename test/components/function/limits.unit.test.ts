import { expect, test } from "vitest";
import { checkEnvironment, checkPolicy } from "../../../dist/components/function/limits.js";

const OWNER = 'domain "orders", commands';
const REMEDY = "Let it use fewer tables and projections, give them shorter names, or split the domain.";

/** Variables of so many bytes as Lambda counts them: {"A":"..."}. */
const variables = (bytes: number) => ({ A: "a".repeat(bytes - '{"A":""}'.length) });

test("Variables of 4,096 bytes are accepted, and one more is an error with the remedy", () => {
  checkEnvironment(OWNER, variables(4096));
  expect(() => checkEnvironment(OWNER, variables(4097))).toThrow(
    expect.objectContaining({
      code: "ENVIRONMENT_TOO_LARGE",
      message: `The environment variables of the function of ${OWNER} have 4097 bytes; Lambda's limit is 4096. ${REMEDY}`,
    }),
  );
});

test.each([
  ["a quotation mark in a value takes two", '"'],
  ["a letter with an accent takes two", "é"],
])("Variables are counted in bytes of JSON: %s", (_, letter) => {
  checkEnvironment(OWNER, { A: letter.repeat(2044) });
  expect(() => checkEnvironment(OWNER, { A: letter.repeat(2045) })).toThrow("have 4098 bytes");
});

test("A policy of 10,240 characters is accepted, without counting white space, and one more is an error", () => {
  const policy = (characters: number) => `{ ${"p".repeat(characters - 2)}\n}`;
  checkPolicy(OWNER, policy(10_240));
  expect(() => checkPolicy(OWNER, policy(10_241))).toThrow(
    expect.objectContaining({
      code: "POLICY_TOO_LARGE",
      message: `The policy of the function of ${OWNER} has 10241 characters; IAM's limit is 10240. ${REMEDY}`,
    }),
  );
});
