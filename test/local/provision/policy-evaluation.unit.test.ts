import { expect, it } from "vitest";
import { policyAllows } from "../../../dist/local/provision/unenforced-permissions.js";

const queue = "arn:aws:sqs:us-east-1:000000000000:orders";
const rule = "arn:aws:events:us-east-1:000000000000:rule/shop/placed";
const call = {
  service: "events.amazonaws.com",
  action: "sqs:SendMessage",
  resource: queue,
  context: { "aws:sourcearn": rule, "aws:securetransport": "true" },
};
const allow = {
  Effect: "Allow",
  Principal: { Service: "events.amazonaws.com" },
  Action: "sqs:SendMessage",
  Resource: queue,
  Condition: { ArnEquals: { "aws:SourceArn": rule } },
};
const denyPlainText = {
  Effect: "Deny",
  Principal: "*",
  Action: "sqs:*",
  Resource: "*",
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};
const allows = (...Statement: object[]) => policyAllows(JSON.stringify({ Statement }), call);

it.each([
  ["names service, action, resource and rule", [allow]],
  ["uses wildcards", [{ ...allow, Action: "SQS:Send*", Resource: "arn:aws:sqs:*:orders" }]],
  [
    "lists several of each",
    [{ ...allow, Action: ["sqs:GetQueueUrl", "sqs:SendMessage"], Resource: ["x", queue] }],
  ],
  ["sets no condition", [{ ...allow, Condition: undefined }]],
  [
    "has a condition that holds for a pattern",
    [{ ...allow, Condition: { ArnLike: { "aws:sourceArn": "arn:*/shop/*" } } }],
  ],
  ["denies something else", [allow, denyPlainText]],
  [
    "has a negated condition on an absent key",
    [{ ...allow, Condition: { StringNotEquals: { "aws:SourceVpc": "v" } } }],
  ],
])("A policy lets a service in that %s", (_title, statements) => {
  expect(allows(...statements)).toBe(true);
});

it.each([
  ["is empty", []],
  ["names another service", [{ ...allow, Principal: { Service: "sns.amazonaws.com" } }]],
  ["names another action", [{ ...allow, Action: "sqs:ReceiveMessage" }]],
  ["names another resource", [{ ...allow, Resource: `${queue}-other` }]],
  ["takes a dot for any character", [{ ...allow, Resource: "arn.*" }]],
  ["names another rule", [{ ...allow, Condition: { ArnEquals: { "aws:SourceArn": `${rule}x` } } }]],
  [
    "asks for a key that the call lacks",
    [{ ...allow, Condition: { StringEquals: { "aws:SourceVpc": "v" } } }],
  ],
  [
    "has an operator that is not known here",
    [{ ...allow, Condition: { NumericLessThan: { "s3:max-keys": "1" } } }],
  ],
  ["denies it", [allow, { ...denyPlainText, Condition: undefined }]],
])("A policy keeps a service out that %s", (_title, statements) => {
  expect(allows(...statements)).toBe(false);
});
