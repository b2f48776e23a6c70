import { describe, expect, it } from "vitest";
import { policyAllows, roleAllows } from "../../../../dist/local/provision/permissions/policy-evaluation.js";

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

describe("A role's policies", () => {
  const publish = {
    Effect: "Allow",
    Action: ["events:PutEvents"],
    Resource: "arn:bus",
    Condition: { "ForAllValues:StringEquals": { "events:source": ["orders", "catalog"] } },
  };
  const document = (...Statement: object[]) => JSON.stringify({ Statement });
  const publishes = (policies: string[], ...sources: string[]) =>
    roleAllows(policies, {
      action: "events:PutEvents",
      resource: "arn:bus",
      context: sources.length > 0 ? { "events:source": sources } : {},
    });

  it("allow together what one of them allows, and nothing that one of them denies", () => {
    expect(publishes([document(), document(publish)], "orders")).toBe(true);
    expect(publishes([document(publish), document({ ...publish, Effect: "Deny" })], "orders")).toBe(false);
    expect(publishes([], "orders")).toBe(false);
  });

  it("allow a call with several values of a key only if all of them are allowed, where they say ForAllValues", () => {
    const policies = [document(publish)];
    expect(publishes(policies, "orders", "catalog")).toBe(true);
    expect(publishes(policies, "orders", "customers")).toBe(false);
    expect(publishes(policies, "Orders")).toBe(false);
    expect(publishes(policies)).toBe(true);
  });

  it("allow it if one of them is, where they say ForAnyValue", () => {
    const any = { ...publish, Condition: { "ForAnyValue:StringEquals": { "events:source": "orders" } } };
    expect(publishes([document(any)], "customers", "orders")).toBe(true);
    expect(publishes([document(any)], "customers")).toBe(false);
    expect(publishes([document(any)])).toBe(false);
  });

  it("take no wildcard in StringEquals, and take it in StringLike", () => {
    const on = (operator: string) => [
      document({ ...publish, Condition: { [`ForAllValues:${operator}`]: { "events:source": ["ord*"] } } }),
    ];
    expect(publishes(on("StringEquals"), "orders")).toBe(false);
    expect(publishes(on("StringLike"), "orders")).toBe(true);
    expect(publishes(on("StringNotLike"), "orders")).toBe(false);
    expect(publishes(on("StringNotLike"), "catalog")).toBe(true);
  });

  it("demand with Null that a key is absent, or present", () => {
    const onNull = (value: string) => [
      document({ ...publish, Condition: { Null: { "events:source": value } } }),
    ];
    expect(publishes(onNull("true"))).toBe(true);
    expect(publishes(onNull("true"), "orders")).toBe(false);
    expect(publishes(onNull("false"))).toBe(false);
    expect(publishes(onNull("false"), "orders")).toBe(true);
  });

  it("do not allow several values where no operator for sets is named", () => {
    const single = { ...publish, Condition: { StringEquals: { "events:source": ["orders", "catalog"] } } };
    expect(publishes([document(single)], "orders")).toBe(true);
    expect(publishes([document(single)], "orders", "catalog")).toBe(false);
  });
});
