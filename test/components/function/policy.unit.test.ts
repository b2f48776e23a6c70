import { expect, test } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { allow, allowRule, trust } from "../../../dist/components/function/policy.js";
import { deploy, json } from "../../support/program/mocks";

const { outputs } = await deploy(() => ({
  allowed: allow([
    { Sid: "ReadOne", Action: ["sqs:ReceiveMessage"], Resource: pulumi.output("arn:aws:sqs:::one") },
    pulumi.output({
      Sid: "WriteTwo",
      Action: ["dynamodb:PutItem"],
      Resource: [pulumi.output("arn:aws:dynamodb:::table/a"), "arn:aws:dynamodb:::table/b"],
      Condition: { StringEquals: { "aws:SourceArn": pulumi.output("arn:aws:lambda:::f") } },
    }),
  ]),
  nothing: allow([]),
  trusted: trust(pulumi.output("dms.eu-central-1.amazonaws.com")),
  rule: allowRule(pulumi.output("arn:aws:sqs:::queue"), pulumi.output("arn:aws:events:::rule/r")),
}));

test("A policy allows exactly the statements that it is made of, with their outputs resolved", () => {
  expect(json(outputs.allowed)).toEqual({
    Version: "2012-10-17",
    Statement: [
      { Sid: "ReadOne", Effect: "Allow", Action: ["sqs:ReceiveMessage"], Resource: "arn:aws:sqs:::one" },
      {
        Sid: "WriteTwo",
        Effect: "Allow",
        Action: ["dynamodb:PutItem"],
        Resource: ["arn:aws:dynamodb:::table/a", "arn:aws:dynamodb:::table/b"],
        Condition: { StringEquals: { "aws:SourceArn": "arn:aws:lambda:::f" } },
      },
    ],
  });
  expect(json(outputs.nothing)).toEqual({ Version: "2012-10-17", Statement: [] });
});

test("A trust policy lets one service assume the role", () => {
  expect(json(outputs.trusted)).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "sts:AssumeRole",
        Principal: { Service: "dms.eu-central-1.amazonaws.com" },
      },
    ],
  });
});

test("A queue policy lets EventBridge send to the queue for one rule, and nobody else", () => {
  expect(json(outputs.rule)).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "EventsOfTheRule",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: "arn:aws:sqs:::queue",
        Condition: { ArnEquals: { "aws:SourceArn": "arn:aws:events:::rule/r" } },
      },
    ],
  });
});
