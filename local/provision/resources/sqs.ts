import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import type * as aws from "@pulumi/aws";
import { arnOf, policyText, resourceKind } from "../resource-kind";

/** Inputs that are attributes of the queue, and what SQS calls them. */
const ATTRIBUTE_NAMES = {
  delaySeconds: "DelaySeconds",
  fifoQueue: "FifoQueue",
  messageRetentionSeconds: "MessageRetentionPeriod",
  policy: "Policy",
  redrivePolicy: "RedrivePolicy",
  sqsManagedSseEnabled: "SqsManagedSseEnabled",
  visibilityTimeoutSeconds: "VisibilityTimeout",
} as const satisfies Partial<Record<keyof aws.sqs.QueueArgs, QueueAttributeName>>;

type Attribute = keyof typeof ATTRIBUTE_NAMES;

export const queue = resourceKind<aws.sqs.QueueArgs>({
  type: "aws:sqs/queue:Queue",
  naming: { input: "name", limit: 80, ending: ({ fifoQueue }) => (fifoQueue ? ".fifo" : "") },
  effective: Object.keys(ATTRIBUTE_NAMES) as Attribute[],
  ineffective: { sqsManagedSseEnabled: "the emulator stores it and encrypts nothing." },
  identify: ({ physicalName }, scope) => {
    const url = `https://sqs.${scope.region}.amazonaws.com/${scope.account}/${physicalName}`;
    return {
      id: url,
      defaults: {
        visibilityTimeoutSeconds: 30,
        messageRetentionSeconds: 345_600,
        delaySeconds: 0,
        fifoQueue: false,
      },
      outputs: { url, arn: arnOf(scope, "sqs", physicalName) },
    };
  },
  create: async ({ physicalName: QueueName, inputs }, _identified, { sqs }) => {
    const Attributes: Record<string, string> = {};
    for (const [input, attribute] of Object.entries(ATTRIBUTE_NAMES)) {
      const value = inputs[input as Attribute];
      // SQS refuses FifoQueue=false: a queue that is not a FIFO queue does not mention it.
      if (value !== undefined && !(input === "fifoQueue" && value === false))
        Attributes[attribute] = String(value);
    }
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    const found = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
    return { id: QueueUrl, url: QueueUrl, arn: found.Attributes?.["QueueArn"] };
  },
});

export const queuePolicy = resourceKind<aws.sqs.QueuePolicyArgs>({
  type: "aws:sqs/queuePolicy:QueuePolicy",
  caveat:
    "the emulator delivers from rules to queues without checking it; the provisioner checks it instead.",
  effective: ["policy", "queueUrl"],
  identify: ({ inputs }) => ({ id: inputs.queueUrl, outputs: { policy: policyText(inputs.policy) } }),
  create: async ({ inputs }, _identified, { sqs }) => {
    const Attributes = { Policy: policyText(inputs.policy) };
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: inputs.queueUrl, Attributes }));
  },
});
