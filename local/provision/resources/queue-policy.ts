import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import type * as aws from "@pulumi/aws";
import { policyText, resourceKind } from "../resource-kind";

export const queuePolicy = resourceKind<aws.sqs.QueuePolicyArgs>({
  type: "aws:sqs/queuePolicy:QueuePolicy",
  caveat:
    "the emulator delivers from rules to queues without asking for it; the provisioner checks it in its place.",
  effective: ["policy", "queueUrl"],
  identify: ({ inputs }) => ({ id: inputs.queueUrl, outputs: { policy: policyText(inputs.policy) } }),
  create: async ({ inputs }, _identified, { sqs }) => {
    const Attributes = { Policy: policyText(inputs.policy) };
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: inputs.queueUrl, Attributes }));
  },
});
