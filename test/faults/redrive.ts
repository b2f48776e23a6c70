import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { LocalSystem } from "../../local/system/system";

const QUEUE_TYPE = "aws:sqs/queue:Queue";
const DEAD_LETTERS = "-dlq";
/** Long enough to go once through a dead-letter queue. */
const HIDDEN_SECONDS = 30;

/**
 * Puts what went to the subscriptions' dead-letter queues back, as an operator does after an outage, apart from poison.
 *
 * @returns how many messages were put back
 */
export async function redrive(
  { deployment, clients, topology }: LocalSystem,
  poison: Set<string>,
): Promise<number> {
  const urlOf = (name: string) => String(deployment.resource(QUEUE_TYPE, name).state["url"]);
  let moved = 0;
  for (const subscription of topology.subscriptions) {
    const from = urlOf(`${subscription}${DEAD_LETTERS}`);
    moved += await moveAll(clients.sqs, from, urlOf(`${subscription}-queue`), poison);
  }
  return moved;
}

async function moveAll(sqs: SQSClient, from: string, to: string, poison: Set<string>): Promise<number> {
  const kept: Message[] = [];
  let moved = 0;
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: from,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: HIDDEN_SECONDS,
      }),
    );
    if (Messages.length === 0) break;
    for (const message of Messages) {
      if (poison.has(eventIdOf(message))) {
        kept.push(message);
        continue;
      }
      // Sent before it is deleted: it may come twice, but is never lost.
      await sqs.send(new SendMessageCommand({ QueueUrl: to, MessageBody: message.Body }));
      await sqs.send(new DeleteMessageCommand({ QueueUrl: from, ReceiptHandle: message.ReceiptHandle }));
      moved += 1;
    }
  }
  for (const { ReceiptHandle } of kept) {
    await sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl: from, ReceiptHandle, VisibilityTimeout: 0 }),
    );
  }
  return moved;
}

function eventIdOf({ Body }: Message): string {
  return (JSON.parse(Body ?? "{}") as { detail?: { id?: string } }).detail?.id ?? "";
}
