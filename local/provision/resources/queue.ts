import { CreateQueueCommand, GetQueueAttributesCommand, type QueueAttributeName } from "@aws-sdk/client-sqs";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind } from "../resource-kind";

const NOT_ENCRYPTED = "the emulator stores it and encrypts nothing.";

/** Inputs that are attributes of the queue, and what SQS calls them. */
const ATTRIBUTE_NAMES = {
  contentBasedDeduplication: "ContentBasedDeduplication",
  deduplicationScope: "DeduplicationScope",
  delaySeconds: "DelaySeconds",
  fifoQueue: "FifoQueue",
  fifoThroughputLimit: "FifoThroughputLimit",
  kmsDataKeyReusePeriodSeconds: "KmsDataKeyReusePeriodSeconds",
  kmsMasterKeyId: "KmsMasterKeyId",
  maxMessageSize: "MaximumMessageSize",
  messageRetentionSeconds: "MessageRetentionPeriod",
  policy: "Policy",
  receiveWaitTimeSeconds: "ReceiveMessageWaitTimeSeconds",
  redriveAllowPolicy: "RedriveAllowPolicy",
  redrivePolicy: "RedrivePolicy",
  sqsManagedSseEnabled: "SqsManagedSseEnabled",
  visibilityTimeoutSeconds: "VisibilityTimeout",
} as const satisfies Partial<Record<keyof aws.sqs.QueueArgs, QueueAttributeName>>;

const DEFAULTS = {
  visibilityTimeoutSeconds: 30,
  messageRetentionSeconds: 345_600,
  delaySeconds: 0,
  fifoQueue: false,
};

export const queue = resourceKind<aws.sqs.QueueArgs>({
  type: "aws:sqs/queue:Queue",
  naming: { input: "name", limit: 80, ending: ({ fifoQueue }) => (fifoQueue ? ".fifo" : "") },
  effective: [
    "name",
    "tags",
    "contentBasedDeduplication",
    "deduplicationScope",
    "delaySeconds",
    "fifoQueue",
    "fifoThroughputLimit",
    "maxMessageSize",
    "messageRetentionSeconds",
    "policy",
    "receiveWaitTimeSeconds",
    "redriveAllowPolicy",
    "redrivePolicy",
    "visibilityTimeoutSeconds",
  ],
  ineffective: {
    kmsDataKeyReusePeriodSeconds: NOT_ENCRYPTED,
    kmsMasterKeyId: NOT_ENCRYPTED,
    sqsManagedSseEnabled: NOT_ENCRYPTED,
  },
  identify: ({ physicalName }, scope) => {
    const url = `https://sqs.${scope.region}.amazonaws.com/${scope.account}/${physicalName}`;
    return { id: url, defaults: DEFAULTS, outputs: { url, arn: arnOf(scope, "sqs", physicalName) } };
  },
  create: async ({ physicalName, inputs }, _identified, { sqs }) => {
    const Attributes: Record<string, string> = {};
    for (const [input, attribute] of Object.entries(ATTRIBUTE_NAMES)) {
      const value = inputs[input as keyof typeof ATTRIBUTE_NAMES];
      // SQS refuses FifoQueue=false: a queue is no FIFO queue by not saying so.
      if (value !== undefined && !(attribute === "FifoQueue" && value === false))
        Attributes[attribute] = String(value);
    }
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({ QueueName: physicalName, Attributes, tags: inputs.tags }),
    );
    const found = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
    return { id: QueueUrl, url: QueueUrl, arn: found.Attributes?.["QueueArn"] };
  },
});
