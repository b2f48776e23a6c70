import "../support/program/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../dist/components/event-bus.js";
import { HandlerFunction } from "../../dist/components/function/handler-function.js";
import { Microservice } from "../../dist/components/microservice/microservice.js";
import { planProgram } from "../../dist/local/provision/plan.js";
import type { MicroserviceDomain } from "../../dist/runtime/define/domain.js";
import { handler } from "../../dist/runtime/function/handler.js";
import { largeDomain } from "../support/domain/large-domain";

/** What `npm run preview` does with a program. */
const preview = (program: () => unknown, unknownOutputs = false) =>
  planProgram({
    program,
    project: "shop",
    stack: "dev",
    config: { "aws:region": "eu-central-1" },
    unknownOutputs,
  });

const functionWith = (host: string, resources: number) => () =>
  void new HandlerFunction("orders-commands", {
    owner: 'domain "orders", commands',
    handler: handler(["DATABASE_HOST"], () => async () => undefined),
    environment: { DATABASE_HOST: host },
    statements: [
      {
        Sid: "ReadEntities",
        Action: ["dynamodb:GetItem"],
        Resource: Array.from(
          { length: resources },
          (_, index) => `arn:aws:dynamodb:eu-central-1:111122223333:table/t${index}`,
        ),
      },
    ],
    logRetentionDays: 7,
  });

test("A preview tells that a function's variables are more than Lambda takes", async () => {
  await expect(preview(functionWith("h".repeat(4100), 1))).rejects.toThrow(
    'The environment variables of the function of domain "orders", commands have 4120 bytes; Lambda\'s limit is 4096.',
  );
  await preview(functionWith("h".repeat(4000), 1));
});

test("A preview tells that a function's policy is more than IAM takes", async () => {
  await expect(preview(functionWith("h", 200))).rejects.toThrow(
    /The policy of the function of domain "orders", commands has \d+ characters; IAM's limit is 10240\./,
  );
});

test("A preview tells that a subscription takes more event types than its rules can", async () => {
  const [domain] = largeDomain("microservice", { projections: 1, eventTypes: 900 });
  const program = () =>
    void new Microservice(domain.name, {
      domain: domain as MicroserviceDomain,
      bus: new EventBus("events"),
      outboxRetentionDays: 30,
      logRetentionDays: 7,
      deletionProtection: true,
      alarmTopicArn: undefined,
    });
  const refusal = /The 900 event types of domain "d+", subscription "p0\w+" do not fit into 32 rules/;
  await expect(preview(program)).rejects.toThrow(refusal);
  await expect(preview(program, true)).rejects.toThrow(refusal);
});
