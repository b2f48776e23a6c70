import { GetQueueUrlCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { discardNotice, type Discard } from "./discard-notice";
import type { StreamMapping } from "./mapping-inputs";
import type { Pace } from "./pace";
import { sleep } from "./pulse";
import type { Recorder } from "./recorder";
import { readSourceArn } from "./source-arn";

/** What reporting discarded records needs. */
export interface DestinationContext {
  mapping: StreamMapping;
  functionArn: string;
  /** Signs as the function's role, which needs sqs:SendMessage on the destination. */
  asFunction: SQSClient;
  /** Signs as root: finding a queue by its ARN is no permission of the role. */
  asRoot: SQSClient;
  recorder: Recorder;
  pace: Pace;
  stopped: AbortSignal;
}

/**
 * Makes what gives records up: it observes that, and tells the on-failure destination, if the mapping has one. While the destination
 * cannot be told the shard waits, so that no record goes unnoticed; AWS checks the permission when the mapping is created.
 */
export function discardTo(context: DestinationContext): (discard: Discard) => Promise<void> {
  const { mapping, functionArn, recorder, pace, stopped } = context;
  const destinationArn = mapping.onFailureArn;
  let queueUrl: string | undefined;
  return async (discard) => {
    const { condition, shardId } = discard;
    const records = discard.records.map(({ event }) => event);
    recorder.record({ kind: "discarded", condition, records }, shardId);
    if (destinationArn === undefined) return;
    const place = `destination of ${shardId}`;
    while (!stopped.aborted) {
      try {
        queueUrl ??= await findQueue(context.asRoot, destinationArn);
        const body = JSON.stringify(discardNotice(mapping, functionArn, discard));
        await context.asFunction.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
        recorder.solved(place);
        recorder.record({ kind: "sentToDestination", destinationArn, condition, records }, shardId);
        return;
      } catch (error) {
        recorder.problem(place, error);
        await sleep(pace.problemMilliseconds, stopped);
      }
    }
  };
}

/** The URL of a queue. Rejects with the SDK's QueueDoesNotExist. */
export async function findQueue(asRoot: SQSClient, queueArn: string): Promise<string | undefined> {
  const { name, accountId } = readSourceArn(queueArn);
  const { QueueUrl } = await asRoot.send(
    new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: accountId }),
  );
  return QueueUrl;
}
