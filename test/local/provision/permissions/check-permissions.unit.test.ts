import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expect, it } from "vitest";
import { planProgram } from "../../../../dist/local/provision/plan.js";

const plan = (program: () => unknown) => planProgram({ program, project: "shop", stack: "test", config: {} });

it("A program whose rule may send to its queue and to its dead-letter queue is accepted", async () => {
  await expect(plan(() => rule({ mayUse: ["orders", "dead"] }))).resolves.toBeDefined();
});

it("A rule whose queue does not let it send is refused, as AWS would lose its events without a word", async () => {
  await expect(plan(() => rule({ mayUse: ["dead"] }))).rejects.toMatchObject({
    code: "PERMISSION_MISSING",
    message:
      "The program lacks permissions that the emulator does not check and AWS does: " +
      'the policy of queue "orders" does not let rule "placed" send (sqs:SendMessage).',
  });
});

it("A rule target whose dead-letter queue does not let the rule send is refused", async () => {
  await expect(plan(() => rule({ mayUse: ["orders"] }))).rejects.toThrow(
    'the policy of queue "dead" does not let rule "placed" send',
  );
});

it("A rule that may invoke its function is accepted, and one that may not is refused", async () => {
  await expect(plan(() => scheduled({}))).resolves.toBeDefined();
  await expect(plan(() => scheduled(undefined))).rejects.toThrow(
    'function "trim" does not let rule "hourly" invoke it (lambda:InvokeFunction)',
  );
});

it.each([
  { principal: "s3.amazonaws.com" },
  { action: "lambda:GetFunction" },
  { function: "another" },
  { sourceArn: "arn:aws:events:us-east-1:000000000000:rule/another" },
])("A rule is refused where the permission is not its own: %j", async (other) => {
  await expect(plan(() => scheduled(other))).rejects.toMatchObject({ code: "PERMISSION_MISSING" });
});

it("A function whose role does not trust Lambda is refused", async () => {
  const program = () => {
    const Statement = [
      { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "dms.amazonaws.com" } },
    ];
    const role = new aws.iam.Role("relay", { assumeRolePolicy: JSON.stringify({ Statement }) });
    const code = new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset("//") });
    new aws.lambda.Function("relay", {
      role: role.arn,
      code,
      handler: "index.handler",
      runtime: "nodejs24.x",
    });
  };

  await expect(plan(program)).rejects.toThrow(
    'role "relay" does not trust Lambda, so function "relay" cannot assume it',
  );
});

/** A function that a schedule invokes, with a permission that differs so from the right one, or with none. */
function scheduled(permission: Partial<aws.lambda.PermissionArgs> | undefined): void {
  const Principal = { Service: "lambda.amazonaws.com" };
  const Statement = [{ Effect: "Allow", Action: "sts:AssumeRole", Principal }];
  const role = new aws.iam.Role("trim", { assumeRolePolicy: JSON.stringify({ Statement }) });
  const code = new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset("//") });
  const made = { code, handler: "index.handler", runtime: "nodejs24.x", role: role.arn };
  const trim = new aws.lambda.Function("trim", made);
  const hourly = new aws.cloudwatch.EventRule("hourly", { scheduleExpression: "rate(1 hour)" });
  new aws.cloudwatch.EventTarget("trim", { rule: hourly.name, arn: trim.arn });
  if (!permission) return;
  const right = { action: "lambda:InvokeFunction", function: trim.name, sourceArn: hourly.arn };
  new aws.lambda.Permission("trim", { ...right, principal: "events.amazonaws.com", ...permission });
}

/** A rule on the default bus with a queue and a dead-letter queue, of which only some have a policy for it. */
function rule({ mayUse }: { mayUse: string[] }): void {
  const placed = new aws.cloudwatch.EventRule("placed", { eventPattern: "{}" });
  const queues = ["orders", "dead"].map((name) => new aws.sqs.Queue(name, {}));
  for (const [index, name] of ["orders", "dead"].entries()) {
    const queue = queues[index] as aws.sqs.Queue;
    if (!mayUse.includes(name)) continue;
    const policy = pulumi.jsonStringify({
      Statement: [
        {
          Effect: "Allow",
          Action: "sqs:SendMessage",
          Principal: { Service: "events.amazonaws.com" },
          Resource: queue.arn,
          Condition: { ArnEquals: { "aws:SourceArn": placed.arn } },
        },
      ],
    });
    new aws.sqs.QueuePolicy(name, { queueUrl: queue.id, policy });
  }
  const [orders, dead] = queues as [aws.sqs.Queue, aws.sqs.Queue];
  new aws.cloudwatch.EventTarget("placed", {
    rule: placed.name,
    arn: orders.arn,
    deadLetterConfig: { arn: dead.arn },
  });
}
