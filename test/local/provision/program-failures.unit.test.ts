import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, it } from "vitest";
import { planProgram } from "../../../dist/local/provision/plan.js";

const unserializable = createRequire(import.meta.url)("./fixtures/unserializable.cjs");
const failingRun = fileURLToPath(new URL("./fixtures/failing-run.cjs", import.meta.url));
const plan = (program: () => unknown) => planProgram({ program, project: "shop", stack: "test", config: {} });
const role = "arn:aws:iam::000000000000:role/none";

const cases: { title: string; program: () => unknown; code: string; message: string | RegExp }[] = [
  {
    title: "a program that throws",
    program: () => {
      throw new Error("no such domain");
    },
    code: "PROGRAM_FAILED",
    message: "The program failed: no such domain",
  },
  {
    title: "a program whose promise rejects",
    program: async () => {
      new aws.sqs.Queue("orders", {});
      await Promise.reject(new Error("no such domain"));
    },
    code: "PROGRAM_FAILED",
    message: "The program failed: no such domain",
  },
  {
    title: "an apply that throws, with resources that depend on its resource",
    program: () => {
      const queue = new aws.sqs.Queue("orders", { name: rejecting("no name") });
      const copy = new aws.sqs.Queue("copy", { name: queue.name });
      new aws.sqs.QueuePolicy("orders", { queueUrl: copy.url, policy: queue.arn });
      return { url: queue.url };
    },
    code: "RESOURCE_INPUT_FAILED",
    message: 'Could not work out input "name" of aws:sqs/queue:Queue "orders": no name',
  },
  {
    title: "an apply that throws and that nothing depends on",
    program: () => {
      rejecting("in vain");
    },
    code: "PROGRAM_FAILED",
    message: "The program failed: in vain",
  },
  {
    title: "an apply that throws in a stack output",
    program: () => ({ url: rejecting("no url") }),
    code: "PROGRAM_FAILED",
    message: "The program failed: no url",
  },
  {
    title: "a function that cannot be serialized",
    program: () => unserializable,
    code: "RESOURCE_INPUT_FAILED",
    message: /^Could not work out input "code" of aws:lambda\/function:Function "relay": Error serializing/,
  },
  {
    title: "an archive whose file is missing",
    program: () => {
      const code = new pulumi.asset.AssetArchive({
        "index.js": new pulumi.asset.FileAsset("/nowhere/index.js"),
      });
      new aws.lambda.Function("relay", { code, handler: "index.handler", runtime: "nodejs24.x", role });
    },
    code: "PACKAGE_UNREADABLE",
    message:
      'Could not create aws:lambda/function:Function "relay": The deployment package cannot be made: ' +
      '"/nowhere/index.js" cannot be read.',
  },
  {
    title: "a resource type that the provisioner does not know",
    program: () => new aws.s3.Bucket("photos", {}),
    code: "RESOURCE_TYPE_UNKNOWN",
    message:
      'The program declares aws:s3/bucket:Bucket "photos", and this machine has nothing to create it with. Add its kind ' +
      "under local/provision/resources and list it in local/provision/resource-kinds.ts; a kind without `create` is only " +
      "recorded.",
  },
  {
    title: "a provider function that the provisioner does not know",
    program: () => ({ vpc: aws.ec2.getVpcOutput({ default: true }).id }),
    code: "PROVIDER_FUNCTION_UNKNOWN",
    message:
      'The program calls "aws:ec2/getVpc:getVpc", which has no answer on this machine. Add it to ' +
      "local/provision/resource-kinds.ts, or take the value from the stack's configuration.",
  },
  {
    title: "a resource that is declared twice",
    program: () => {
      new aws.sqs.Queue("orders", { name: "one" });
      new aws.sqs.Queue("orders", { name: "two" });
    },
    code: "RESOURCE_DECLARED_TWICE",
    message:
      'The program declares aws:sqs/queue:Queue "orders" twice, which Pulumi refuses. Prefix the name with that of its ' +
      "component.",
  },
  {
    title: "an existing resource that is read",
    program: () => ({ url: aws.sqs.Queue.get("orders", "some-id").url }),
    code: "RESOURCE_READ_UNSUPPORTED",
    message:
      'The program reads an existing aws:sqs/queue:Queue as "orders", and there is none on this machine. Declare it, or ' +
      "take what you need of it from the stack's configuration.",
  },
  {
    title: "a generated name that is longer than AWS allows",
    program: () => new aws.lambda.Function("a".repeat(60), { role }),
    code: "PHYSICAL_NAME_TOO_LONG",
    message:
      /^The name of aws:lambda\/function:Function "a{60}" is too long: "a{60}-[0-9a-f]{7}" has 68 characters and AWS allows 64\. /,
  },
  {
    title: "a resource in another region",
    program: () => new aws.sqs.Queue("orders", { region: "eu-west-1" }),
    code: "RESOURCE_IN_OTHER_REGION",
    message:
      'The program declares aws:sqs/queue:Queue "orders" in region "eu-west-1", and a local run is in "us-east-1" alone. ' +
      "Set aws:region, or leave the resource's region out.",
  },
];

afterEach(() => expect(process.listeners("unhandledRejection")).toHaveLength(listenersBefore));
const listenersBefore = process.listeners("unhandledRejection").length;

describe("A deployment rejects with one error that names the resource", () => {
  for (const { title, program, code, message } of cases) {
    it(`for ${title}`, async () => {
      const error = await plan(program).then(
        () => expect.unreachable("the plan should fail"),
        (reason: Error & { code?: string }) => reason,
      );

      expect(error.code).toBe(code);
      expect(error.message).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
    });
  }
});

it("A failed run does not stand in the way of the next one", async () => {
  await expect(plan(() => new aws.s3.Bucket("photos", {}))).rejects.toThrow("photos");

  const { resources } = await plan(() => void new aws.sqs.Queue("orders", {}));

  expect(resources.map(({ name }) => name)).toEqual(["orders"]);
});

it("Nothing more is created after a failure", async () => {
  const seen: string[] = [];
  const program = () => {
    new aws.s3.Bucket("photos", {});
    const late = new Promise<string>((resolve) => setTimeout(() => resolve("late"), 20));
    new aws.sqs.Queue("late", { name: late }).arn.apply((arn) => seen.push(arn));
  };

  await expect(plan(program)).rejects.toMatchObject({ code: "RESOURCE_TYPE_UNKNOWN" });

  expect(seen).toEqual([]);
});

it("A second run in the same process is refused while one is under way", async () => {
  const first = plan(() => undefined);

  await expect(plan(() => undefined)).rejects.toMatchObject({ code: "PROGRAM_ALREADY_RUNNING" });
  await first;
});

describe("A failed run prints nothing of its own and does not decide how the process exits", () => {
  for (const [program, code] of [
    ["stuck", "RESOURCE_TYPE_UNKNOWN"],
    ["apply", "RESOURCE_INPUT_FAILED"],
    ["unserializable", "RESOURCE_INPUT_FAILED"],
  ] as const) {
    it(`when it fails by ${program}`, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [failingRun, program], {
        encoding: "utf8",
      });

      expect(stdout).toBe("");
      expect(stderr).toBe(`${code}\n`);
      expect(status).toBe(0);
    });
  }
});

function rejecting(message: string): pulumi.Output<string> {
  return pulumi.output("").apply((): string => {
    throw new Error(message);
  });
}
