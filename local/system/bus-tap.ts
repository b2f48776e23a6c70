import { PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import type { CloudEvent } from "../../runtime/envelope/cloud-event";
import type { EmulatorClients } from "../provision/emulator-clients";

/**
 * A separate subscriber that sees every event on the bus, so that checks need not rely on what the relays
 * report.
 */
export interface BusTap {
  /** In order of arrival, including duplicates. */
  events(): CloudEvent[];
  /** Whether the tap's queue is empty. */
  isIdle(): Promise<boolean>;
  stop(): Promise<void>;
}

const NAME = "local-bus-tap";

/** Opens a tap on a bus. Its rule and queue are not part of the program. */
export async function openBusTap({ events, sqs }: EmulatorClients, busName: string): Promise<BusTap> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: NAME }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const arn = Attributes?.["QueueArn"] ?? "";
  // Matches every domain event; nothing else is on this bus.
  const EventPattern = JSON.stringify({ detail: { specversion: ["1.0"] } });
  await events.send(new PutRuleCommand({ Name: NAME, EventBusName: busName, EventPattern }));
  await events.send(
    new PutTargetsCommand({ Rule: NAME, EventBusName: busName, Targets: [{ Id: NAME, Arn: arn }] }),
  );
  const seen: CloudEvent[] = [];
  const stopper = new AbortController();
  const receive = async (): Promise<void> => {
    const request = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 });
    const { Messages = [] } = await sqs.send(request, { abortSignal: stopper.signal });
    if (Messages.length === 0) return;
    for (const { Body } of Messages) seen.push((JSON.parse(Body ?? "{}") as { detail: CloudEvent }).detail);
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  };
  const loop = async (): Promise<void> => {
    while (!stopper.signal.aborted) {
      try {
        await receive();
      } catch {
        // Stopped, or the emulator is restarting; the queue keeps unreceived messages.
        await new Promise((resolve) => setTimeout(resolve, stopper.signal.aborted ? 0 : 200));
      }
    }
  };
  const running = loop();
  return {
    events: () => [...seen],
    async isIdle() {
      const AttributeNames = [
        "ApproximateNumberOfMessages" as const,
        "ApproximateNumberOfMessagesNotVisible" as const,
      ];
      const { Attributes: counts } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames }),
      );
      return AttributeNames.every((name) => Number(counts?.[name] ?? 0) === 0);
    },
    async stop() {
      stopper.abort();
      await running;
    },
  };
}
