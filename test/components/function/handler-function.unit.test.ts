import { expect, test } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { HandlerFunction } from "../../../dist/components/function/handler-function.js";
import { handler } from "../../../dist/runtime/function/handler.js";
import { deploy, json, packageOf } from "../../support/program/mocks";
import { statementsIn } from "../../support/program/policy-statements";

const owner = 'domain "loans", commands';
const minimal = {
  owner,
  handler: handler([], () => async () => "answer"),
  statements: [],
  environment: {},
  logRetentionDays: 7,
};

const deployment = await deploy(() => {
  const made = new HandlerFunction("loans-commands", {
    ...minimal,
    statements: [
      {
        Sid: "ReadTable",
        Action: ["dynamodb:GetItem"],
        Resource: pulumi.output("arn:aws:dynamodb:::table/a"),
      },
    ],
    handler: handler(
      ["OUTBOX_TABLE"],
      ({ OUTBOX_TABLE }) =>
        async () =>
          OUTBOX_TABLE,
    ),
    environment: { OUTBOX_TABLE: pulumi.output("outbox-1") },
  });
  const network = { subnetIds: ["subnet-0a1", "subnet-0b2"], securityGroupIds: ["sg-0c3"] };
  new HandlerFunction("private", { ...minimal, network });
  new HandlerFunction("slow", { ...minimal, timeoutSeconds: 120, memoryMegabytes: 1024 });
  return { arn: made.arn, name: made.name };
});
const lambda = deployment.one("aws:lambda/function:Function", "loans-commands");

test("A function has its own role, policy and log group, and nothing else", () => {
  const component = deployment.one("domain-consistency:components:HandlerFunction", "loans-commands");
  expect(deployment.childrenOf(component)).toEqual([
    "aws:cloudwatch/logGroup:LogGroup loans-commands-log",
    "aws:iam/role:Role loans-commands-role",
    "aws:iam/rolePolicy:RolePolicy loans-commands-policy",
    "aws:lambda/function:Function loans-commands",
  ]);
  const { managedPolicyArns, inlinePolicies, assumeRolePolicy } = deployment.one(
    "aws:iam/role:Role",
    "loans-commands-role",
  ).inputs;
  expect([managedPolicyArns, inlinePolicies]).toEqual([undefined, undefined]);
  expect(json(assumeRolePolicy)).toEqual({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } },
    ],
  });
});

test("Everything about a function is explicit, so that no default of AWS or Pulumi applies", () => {
  const { code: _code, ...inputs } = lambda.inputs;
  expect(inputs).toEqual({
    handler: "index.handler",
    runtime: "nodejs24.x",
    architectures: ["arm64"],
    role: "arn:aws:iam::111122223333:role/loans-commands-role-1234567",
    timeout: 30,
    memorySize: 512,
    environment: { variables: { OUTBOX_TABLE: "outbox-1" } },
    loggingConfig: { logFormat: "JSON", logGroup: "/aws/lambda/domain-consistency-dev-loans-commands" },
  });
});

test("Timeout and memory can be chosen", () => {
  const { timeout, memorySize } = deployment.one("aws:lambda/function:Function", "slow").inputs;
  expect({ timeout, memorySize }).toEqual({ timeout: 120, memorySize: 1024 });
});

test("A function's package is one file that exports its handler", async () => {
  expect(await packageOf(lambda)).toContain("exports.handler=");
});

test("The log group is made with its retention before the function could make one that keeps logs forever", () => {
  const logGroup = deployment.one("aws:cloudwatch/logGroup:LogGroup", "loans-commands-log");
  expect(logGroup.inputs).toEqual({
    name: "/aws/lambda/domain-consistency-dev-loans-commands",
    retentionInDays: 7,
  });
  expect(lambda.dependencies).toContain(logGroup.urn);
});

test("The policy allows the function to write its own log and what it was given, and is there before the function", () => {
  const policy = deployment.one("aws:iam/rolePolicy:RolePolicy", "loans-commands-policy");
  expect(policy.inputs.role).toBe("loans-commands-role-1234567");
  expect(json(policy.inputs.policy)).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "WriteLog",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource:
          "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/domain-consistency-dev-loans-commands:*",
      },
      {
        Sid: "ReadTable",
        Effect: "Allow",
        Action: ["dynamodb:GetItem"],
        Resource: "arn:aws:dynamodb:::table/a",
      },
    ],
  });
  expect(lambda.dependencies).toContain(policy.urn);
});

test("The component has the function's ARN and physical name", () => {
  expect(deployment.outputs).toEqual({
    arn: "arn:aws:lambda:eu-central-1:111122223333:function:loans-commands-1234567",
    name: "loans-commands-1234567",
  });
});

test("A function in a private network is attached to it", () => {
  expect(deployment.one("aws:lambda/function:Function", "private").inputs.vpcConfig).toEqual({
    subnetIds: ["subnet-0a1", "subnet-0b2"],
    securityGroupIds: ["sg-0c3"],
  });
  expect(lambda.inputs.vpcConfig).toBeUndefined();
});

test("Lambda may attach it with the function's role, in these subnets; the function's own code may not", () => {
  const [, ...statements] = statementsIn(deployment.one("aws:iam/rolePolicy:RolePolicy", "private-policy"));
  const Condition = { Null: { "lambda:SourceFunctionArn": "true" } };
  const subnets = ["ec2:subnet/subnet-0a1", "ec2:subnet/subnet-0b2"];
  expect(statements).toEqual([
    {
      Sid: "DescribeNetwork",
      Action: ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
      Resource: ["*"],
      Condition,
    },
    {
      Sid: "CreateNetworkInterfaces",
      Action: ["ec2:CreateNetworkInterface"],
      Resource: [...subnets, "ec2:security-group/sg-0c3", "ec2:network-interface/*"],
      Condition,
    },
    {
      Sid: "AssignAddresses",
      Action: ["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"],
      Resource: [...subnets, "ec2:network-interface/*"],
      Condition,
    },
    {
      Sid: "DeleteNetworkInterfaces",
      Action: ["ec2:DeleteNetworkInterface"],
      Resource: ["ec2:*/*"],
      Condition,
    },
  ]);
});
