import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { deleteMessage, inTens, withHeldMessages } from "../../cli/on-call/held-messages";
import { putBack } from "../../cli/on-call/put-back";
import { quarantinedRecords } from "../../cli/on-call/quarantined-records";
import type { LocalSystem } from "../../local/system/system";

const QUEUE_TYPE = "aws:sqs/queue:Queue";

/**
 * Redrives the subscriptions' dead letters, as an operator does after an outage, except poison.
 *
 * @param poison ids of events that their subscribers always refuse
 * @returns the number of redriven messages
 */
export async function redrive(
  { deployment, clients, topology }: LocalSystem,
  poison: Set<string>,
): Promise<number> {
  const { sqs } = clients;
  const urlOf = (name: string) => String(deployment.resource(QUEUE_TYPE, name).state["url"]);
  let redriven = 0;
  for (const subscription of topology.subscriptions) {
    const queue = urlOf(`${subscription}-queue`);
    redriven += await withHeldMessages(sqs, urlOf(`${subscription}-dlq`), async (held) => {
      const messages = held.filter(({ body }) => !poison.has(eventIdOf(body)));
      await inTens(messages, async (message) => {
        // Sent before it is deleted: it may arrive twice, but is never lost.
        await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: message.body }));
        await deleteMessage(sqs, message);
      });
      return messages.length;
    });
  }
  return redriven;
}

/**
 * Puts quarantined records back on their streams, as an operator does once their cause is gone, except poison.
 *
 * @param poison payloads of records that cannot be decoded, base64
 * @returns the number of records
 */
export async function putBackRecords(
  { deployment, clients }: LocalSystem,
  poison: Set<string>,
): Promise<number> {
  let returned = 0;
  for (const { name, state } of deployment.byType(QUEUE_TYPE)) {
    if (!name.endsWith("-quarantine")) continue;
    returned += await withHeldMessages(clients.sqs, String(state["url"]), async (held) => {
      const records = quarantinedRecords(name, held).records.filter(
        ({ payload }) => payload !== undefined && !poison.has(payload.toString("base64")),
      );
      for (const record of records) {
        await putBack(clients, record);
        await inTens(record.messages, (message) => deleteMessage(clients.sqs, message));
      }
      return records.length;
    });
  }
  return returned;
}

function eventIdOf(body: string): string {
  return (JSON.parse(body) as { detail?: { id?: string } }).detail?.id ?? "";
}
