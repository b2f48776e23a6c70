import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { NoResultError } from "kysely";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { codedError } from "../../../runtime/function/coded-error";
import { handler } from "../../../runtime/function/handler";
import { loggedReason, withoutValues } from "../../../runtime/function/private-values";
import { lambdaContext } from "../../support/domain/outbox-records";
import { everythingIn } from "../../support/process/everything-in";

/** Is in every value that must not be shown; with digits, since some values are numbers. */
const MARK = "4111222233334444";

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown.");
}
const error = (message: string, properties: object = {}, cause?: unknown) =>
  Object.assign(new Error(message, { cause }), properties);
/** As pg reports an error; every field that may hold a value does. */
const postgresError = (code: string, message: string, more: object = {}) =>
  error(message, {
    name: "error",
    length: 300,
    severity: "ERROR",
    code,
    detail: `Failing row contains (1, ${MARK}).`,
    hint: MARK,
    where: `unnamed portal parameter $3 = '${MARK}'`,
    internalQuery: `insert into audit values ('${MARK}')`,
    position: "7",
    schema: "public",
    table: "customers",
    column: "city",
    routine: "ExecConstraints",
    ...more,
  });

const errors: [string, () => unknown][] = [
  [
    "a violated constraint",
    () => postgresError("23514", 'new row violates check constraint "customers_check"'),
  ],
  [
    "a value that a column does not take",
    () => postgresError("22P02", `invalid input syntax for type integer: "${MARK}"`),
  ],
  ["a date out of range", () => postgresError("22008", `date/time field value out of range: "${MARK}"`)],
  ["what a trigger raises", () => postgresError("P0001", `No ${MARK} here`, { routine: "exec_stmt_raise" })],
  [
    "what a trigger raises by the SQLSTATE of something else",
    () => postgresError("42501", `No ${MARK} here`, { routine: "exec_stmt_raise" }),
  ],
  ["what a function in another language raises", () => postgresError("38000", `No ${MARK} here`)],
  ["an internal error", () => postgresError("XX000", `No ${MARK} here`)],
  ["an SQLSTATE of nobody", () => postgresError("ZZ999", `No ${MARK} here`)],
  [
    "a transaction that DynamoDB cancelled, with the items",
    () =>
      new TransactionCanceledException({
        message:
          "Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]",
        $metadata: { httpStatusCode: 400, requestId: "request-1", attempts: 1 },
        CancellationReasons: [
          {
            Code: "ConditionalCheckFailed",
            Item: { note: { S: MARK } },
            Message: "The conditional request failed",
          },
          {
            Code: "ValidationError",
            Message: `The parameter cannot be converted to a numeric value: ${MARK}`,
          },
        ],
      }),
  ],
  [
    "content that AWS does not take",
    () =>
      error(`1 validation error detected: Value '${MARK}' at 'item' failed to satisfy constraint`, {
        name: "ValidationException",
        $fault: "client",
        $metadata: { httpStatusCode: 400 },
        $response: { body: MARK },
      }),
  ],
  ["a text that is not JSON", () => caught(() => JSON.parse(`x${MARK}`))],
  ["zod's error", () => caught(() => z.strictObject({ a: z.int() }).parse({ a: MARK, [MARK]: 1 }))],
  [
    "zod's error with a check that quotes",
    () =>
      caught(() =>
        z
          .string()
          .refine(() => false, { error: ({ input }) => `${String(input)} is wrong` })
          .parse(MARK),
      ),
  ],
  ["Kysely's error, with the query", () => new NoResultError({ kind: "ValueNode", value: MARK } as never)],
  ["a text that is not a bigint", () => caught(() => BigInt(`${MARK}x`))],
  ["an argument that Node.js does not take", () => caught(() => Buffer.from("x", MARK as never))],
  ["an argument of a wrong type", () => caught(() => Buffer.concat(MARK as never))],
  ["a URL", () => caught(() => new URL(MARK))],
  [
    "properties of any error",
    () => error("It failed", { input: MARK, response: { data: [MARK] }, [Symbol("note")]: MARK }),
  ],
  ["several errors", () => new AggregateError([error(MARK)], "All failed")],
  ["a text that was thrown", () => MARK],
  ["an object that was thrown", () => ({ note: MARK })],
];

describe("a private value is in no log, whatever fails:", () => {
  test.each(errors)("%s", async (_, make) => {
    const failures = [
      make(),
      codedError("FAILED", "It failed.", { cause: make() }),
      error("It failed", {}, error("because", {}, make())),
    ];
    // The test can fail: the value is there.
    for (const failure of failures) expect(everythingIn(failure)).toContain(MARK);
    for (const failure of failures) {
      expect(everythingIn(withoutValues(failure))).not.toContain(MARK);
      expect(JSON.stringify(loggedReason(failure))).not.toContain(MARK);
      const run = handler([], () => () => Promise.reject(failure as Error)).callbackFactory();
      const thrown = await run(undefined, lambdaContext()).catch((one: unknown) => one);
      expect(thrown).toBeInstanceOf(Error);
      expect(everythingIn(thrown)).not.toContain(MARK);
    }
  });
});

describe("what is left of an error", () => {
  test("of PostgreSQL are its code, the names in the catalog and a message without values", () => {
    expect(
      withoutValues(
        postgresError("23505", 'violates unique constraint "customers_email_key"', {
          constraint: "customers_email_key",
        }),
      ),
    ).toMatchObject({
      name: "error",
      message: 'violates unique constraint "customers_email_key"',
      code: "23505",
      table: "customers",
      column: "city",
      constraint: "customers_email_key",
    });
    expect(withoutValues(postgresError("22003", `value "${MARK}" is out of range`)).message).toBe(
      "PostgreSQL refused it with SQLSTATE 22003.",
    );
  });

  test("of the guard is what it says, which is for whoever wrote around it", () => {
    const message = 'customers.Customer "c-1" was changed to version 2 without an outbox row';
    expect(withoutValues(postgresError("DC001", message, { routine: "exec_stmt_raise" })).message).toBe(
      message,
    );
  });

  test("of AWS are its name and the request", () => {
    const failure = error("Rate exceeded", {
      name: "ThrottlingException",
      $fault: "client",
      $metadata: { requestId: "r", httpStatusCode: 400, cfId: "x" },
    });
    expect(withoutValues(failure)).toMatchObject({
      name: "ThrottlingException",
      message: "Rate exceeded",
      $metadata: { requestId: "r" },
    });
    expect(loggedReason(failure)).toEqual({ code: "ThrottlingException", reason: "Rate exceeded" });
  });

  test("of any error are its message, its code, its causes and where it was thrown", () => {
    const safe = withoutValues(codedError("FAILED", "It failed.\n    at once", { cause: error("Because") }));
    expect(safe).toMatchObject({
      code: "FAILED",
      message: "It failed.\n    at once",
      cause: { message: "Because" },
    });
    expect(safe.stack).toContain("private-values.unit.test.ts");
    expect(everythingIn(withoutValues(error("deep", {}, safe)))).toContain("Because");
  });

  test("ends with causes that go in a circle", () => {
    const circle: Error & { cause?: unknown } = error("round");
    circle.cause = circle;
    expect(withoutValues(circle).message).toBe("round");
  });
});
