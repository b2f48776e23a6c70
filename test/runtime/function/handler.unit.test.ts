import { describe, expect, test, vi } from "vitest";
import { dynamoStore } from "../../../runtime/dynamodb/store";
import { handler, mapIn, readEnvironment, type VariableName } from "../../../runtime/function/handler";
import { postgresStore } from "../../../runtime/postgres/store";
import { makeCommandHandler } from "../../../runtime/command/handler";
import { project, react } from "../../../runtime";
import { makeKinesisRelay } from "../../../runtime/relay/kinesis-relay";
import { makeDynamoRelay } from "../../../runtime/relay/dynamodb-relay";
import { makeProjectionHandler } from "../../../runtime/projection/handler";
import { makeReactionHandler } from "../../../runtime/reaction/handler";
import { makeRetentionHandler } from "../../../runtime/retention/handler";
import { Account } from "../../support/domain/account";
import { BANK_EVENTS, lambdaContext } from "../../support/domain/outbox-records";

describe("a handler", () => {
  test("is made once at a cold start, with the values of its own variables", async () => {
    vi.stubEnv("EVENT_BUS_NAME", "domain-events");
    vi.stubEnv("OUTBOX_TABLE", "outbox-1a2b3c4");
    const make = vi.fn(
      ({ EVENT_BUS_NAME }: { EVENT_BUS_NAME: string }) =>
        async (event: string) =>
          `${event} to ${EVENT_BUS_NAME}`,
    );
    const { callbackFactory } = handler(["EVENT_BUS_NAME"], make);
    expect(make).not.toHaveBeenCalled();
    const handle = callbackFactory();
    for (const event of ["a", "b"])
      expect(await handle(event, lambdaContext())).toBe(`${event} to domain-events`);
    expect(make).toHaveBeenCalledExactlyOnceWith({ EVENT_BUS_NAME: "domain-events" });
  });
});

/** Every handler that a function of the program has. */
const HANDLERS: [
  name: string,
  handler: { variables: readonly VariableName[]; callbackFactory: () => unknown },
][] = [
  ["a microservice's commands", makeCommandHandler("bank", {}, dynamoStore)],
  ["a module's commands", makeCommandHandler("bank", {}, postgresStore())],
  ["a reaction", makeReactionHandler("bank.accounts", react(Account, { uses: {}, on: {} }), dynamoStore)],
  [
    "a projection",
    makeProjectionHandler(
      "accounts",
      project(Account, ({ owner }) => ({ owner })),
    ),
  ],
  ["the monolith's relay", makeKinesisRelay(BANK_EVENTS)],
  ["a microservice's relay", makeDynamoRelay(BANK_EVENTS)],
  ["retention", makeRetentionHandler()],
];

describe.each(HANDLERS)("%s", (_, { variables, callbackFactory }) => {
  test.each(variables.map((name) => [name]))(
    "does not start without %s, and says so at the cold start",
    (missing) => {
      vi.stubEnv("AWS_REGION", "us-east-1");
      for (const name of variables) vi.stubEnv(name, name.endsWith("_TABLES") ? "{}" : "1");
      expect(callbackFactory).not.toThrow();
      vi.stubEnv(missing, "");
      expect(callbackFactory).toThrow(
        expect.objectContaining({
          code: "VARIABLE_MISSING",
          message: expect.stringContaining(`The environment variable "${missing}" is not set.`) as string,
        }),
      );
    },
  );
});

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
