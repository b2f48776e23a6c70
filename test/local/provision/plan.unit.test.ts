import { createRequire } from "node:module";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import {
  describeDifferences,
  SECRET_VALUE,
  UNKNOWN_VALUE,
} from "../../../dist/local/provision/deployment.js";
import { planProgram } from "../../../dist/local/provision/plan.js";

const PASSWORD = "correct horse";
const shop = createRequire(import.meta.url)("./fixtures/shop.cjs");
const plan = (
  program: () => unknown,
  options: { config?: Record<string, string>; unknownOutputs?: boolean } = {},
) => planProgram({ program, project: "shop", stack: "test", config: {}, ...options });
const planShop = (unknownOutputs = false) =>
  plan(() => shop, { config: { password: PASSWORD, "aws:region": "eu-central-1" }, unknownOutputs });

describe("A plan of a program", () => {
  it("lists the resources in the order in which the program declares them, and the component they belong to", async () => {
    const { resources } = await planShop();

    const component = resources.find(({ type }) => type === "test:components:Subscription");
    expect(resources.slice(0, 5).map(({ type, name }) => [type, name])).toEqual([
      ["aws:cloudwatch/eventBus:EventBus", "shop"],
      ["aws:dynamodb/table:Table", "orders"],
      ["test:components:Subscription", "placed"],
      ["aws:sqs/queue:Queue", "placed-dlq"],
      ["aws:sqs/queue:Queue", "placed-queue"],
    ]);
    expect(resources.filter(({ parent }) => parent === component?.urn)).toHaveLength(6);
    expect(resources[0]).not.toHaveProperty("parent");
  });

  it("makes up ARNs and URLs of account 000000000000, so that policies read as they will be", async () => {
    const deployment = await planShop();

    const rule = deployment.resource("aws:cloudwatch/eventRule:EventRule", "placed-rule");
    const queue = deployment.resource("aws:sqs/queue:Queue", "placed-queue");
    const policy = deployment.resource("aws:sqs/queuePolicy:QueuePolicy", "placed-queue-policy");
    expect(queue.state["arn"]).toMatch(/^arn:aws:sqs:eu-central-1:000000000000:placed-queue-[0-9a-f]{7}$/);
    expect(queue.id).toBe(queue.state["url"]);
    expect(JSON.parse(String(policy.inputs["policy"])).Statement[0]).toMatchObject({
      Resource: queue.state["arn"],
      Condition: { ArnEquals: { "aws:SourceArn": rule.state["arn"] } },
    });
    expect(deployment.outputs).toMatchObject({ account: "000000000000", queueUrl: queue.id });
  });

  it("records the outputs that a component registers", async () => {
    const deployment = await planShop();

    const { state } = deployment.resource("test:components:Subscription", "placed");
    expect(state).toEqual({ queueUrl: deployment.outputs["queueUrl"] });
  });

  it("says how big a function's package is and does not keep the package", async () => {
    const deployment = await planShop();

    const writer = deployment.resource("aws:lambda/function:Function", "writer");
    expect(writer.packageBytes).toBeGreaterThan(10_000);
    expect(writer.inputs["code"]).toBe("[archive: index.js]");
    expect(writer.state).not.toHaveProperty("code");
    expect(writer.state["sourceCodeSize"]).toBe(writer.packageBytes);
  });

  it("makes the same names, ids and packages a second time", async () => {
    const { resources, outputs } = await planShop();

    const again = await planShop();

    expect({ resources: again.resources, outputs: again.outputs }).toEqual({ resources, outputs });
  });

  it("shows no secret anywhere, and tells the program that its outputs are secret", async () => {
    const deployment = await planShop();

    expect(JSON.stringify(deployment)).not.toContain(PASSWORD);
    expect(deployment.outputs["password"]).toBe(SECRET_VALUE);
    const { inputs, state } = deployment.resource("aws:lambda/function:Function", "writer");
    for (const { environment } of [inputs, state])
      expect(environment).toMatchObject({ variables: { PASSWORD: SECRET_VALUE } });
  });

  it("masks of an input only the secret inside it", async () => {
    const environment = { variables: { TABLE: "orders", TOKEN: pulumi.secret("t0ken") } };
    const code = new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset("//") });
    const deployment = await plan(() => {
      new aws.lambda.Function("relay", { role: "arn:aws:iam::000000000000:role/none", code, environment });
    });

    const { inputs, state } = deployment.resource("aws:lambda/function:Function", "relay");
    expect(inputs["environment"]).toEqual({ variables: { TABLE: "orders", TOKEN: SECRET_VALUE } });
    expect(state["environment"]).toEqual(inputs["environment"]);
  });

  it("keeps an output secret that repeats a secret input in another form", async () => {
    const policy = pulumi.secret({ Version: "2012-10-17" as const, Statement: [] });
    const { outputs } = await plan(() => new aws.sqs.QueuePolicy("orders", { queueUrl: "none", policy }));

    expect(outputs["policy"]).toBe(SECRET_VALUE);
  });

  it("leaves computed outputs unknown where that is asked for, as a first preview does", async () => {
    const deployment = await planShop(true);

    const queue = deployment.resource("aws:sqs/queue:Queue", "placed-queue");
    const writer = deployment.resource("aws:lambda/function:Function", "writer");
    expect(queue.id).toBe("");
    expect(queue.state).not.toHaveProperty("arn");
    expect(queue.inputs["redrivePolicy"]).toBe(UNKNOWN_VALUE);
    expect(writer.inputs).toMatchObject({ role: UNKNOWN_VALUE, timeout: 10 });
    expect(writer.packageBytes).toBeGreaterThan(10_000);
    expect(deployment.outputs).toMatchObject({ queueUrl: UNKNOWN_VALUE, writer: writer.inputs["name"] });
  });

  it("tells the program that it is a preview", async () => {
    const { outputs } = await plan(() => ({ preview: pulumi.runtime.isDryRun() }));

    expect(outputs).toEqual({ preview: true });
  });

  it("reads configuration of the project and of the provider", async () => {
    const program = () => ({
      days: new pulumi.Config().requireNumber("days"),
      region: aws.config.region ?? new pulumi.Config("aws").require("region"),
      stack: pulumi.getStack(),
    });

    const { outputs } = await plan(program, { config: { days: "3", "aws:region": "eu-west-1" } });

    expect(outputs).toEqual({ days: 3, region: "eu-west-1", stack: "test" });
  });
});

it("What a local run does otherwise than AWS is listed by type and input, and what is only recorded says why", async () => {
  const { differences, byType } = await planShop();

  const lines = describeDifferences(differences);
  expect(lines).toContain(
    "aws:lambda/function:Function architectures (2 resources): functions run on this machine's processor.",
  );
  expect(lines).toContain(
    'aws:dms/endpoint:Endpoint ("source"): no emulator has AWS DMS; the local change data capture takes its settings from ' +
      "this endpoint.",
  );
  expect(byType("aws:lambda/eventSourceMapping:EventSourceMapping")[0]?.replacement).toContain(
    "local event sources",
  );
  expect(byType("aws:sqs/queue:Queue")[0]).not.toHaveProperty("replacement");
});

it("An input that the provisioner does not know is listed too", async () => {
  const { differences } = await plan(() => void new aws.sqs.Queue("orders", { namePrefix: "x" }));

  expect(describeDifferences(differences)).toEqual([
    'aws:sqs/queue:Queue namePrefix ("orders"): the provisioner does not pass it on.',
  ]);
});

it("A resource that was not declared is an error that lists those that were", async () => {
  const deployment = await plan(() => void new aws.sqs.Queue("orders", {}));

  expect(() => deployment.resource("aws:sqs/queue:Queue", "order")).toThrow(
    'The program declares no aws:sqs/queue:Queue named "order". Of that type it declares "orders".',
  );
});
