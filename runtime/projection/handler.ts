import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { AnyProjection } from "../define/project";
import { documentClient } from "../dynamodb/documents";
import { checkedItemBytes } from "../dynamodb/item";
import { currentData, type ReceivedEvent } from "../envelope/cloud-event";
import { handler } from "../function/handler";
import { readTableNames } from "../function/table-names";
import { log } from "../function/log";
import { failedMessages, logFailure, readMessages } from "../function/queue-messages";
import { inTime, shareOfTime, timedOut } from "../function/time-left";
import { indexAttributes, type ProjectedItem, writeProjection } from "./table";

/**
 * Makes the handler of a projection. It folds a batch to the newest version of each aggregate and writes each
 * with one conditional write. An event that cannot be projected fails alone, before the batch is folded;
 * otherwise valid events of its aggregate would fail with it. What is not written in the time that is left goes
 * back to the queue.
 *
 * @param name the subscription, as registered
 */
export function makeProjectionHandler(name: string, projection: AnyProjection) {
  return handler(["PROJECTION_TABLES"], ({ PROJECTION_TABLES }) => {
    const documents = documentClient();
    const tableName = readTableNames("PROJECTION_TABLES", PROJECTION_TABLES)[name] ?? "";
    const apply = async (folded: FoldedMessages, milliseconds: number | undefined): Promise<string[]> => {
      try {
        if (milliseconds === undefined) throw timedOut();
        const abortSignal = AbortSignal.timeout(milliseconds);
        await inTime(milliseconds, writeProjection(documents, tableName, folded.newest, abortSignal));
        return [];
      } catch (error) {
        for (const messageId of folded.messageIds) logFailure(messageId, folded.newest.eventId, error);
        return folded.messageIds;
      }
    };
    return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
      const { messages, unreadable: unfinished } = readMessages(event, projection.aggregate);
      const items: ProjectedMessage[] = [];
      for (const { messageId, received } of messages) {
        try {
          items.push({ messageId, item: projected(projection, received) });
        } catch (error) {
          logFailure(messageId, received.event.id, error);
          unfinished.push(messageId);
        }
      }
      // All at once, so that each has all the time: a slow write delays no other.
      const milliseconds = shareOfTime(context.getRemainingTimeInMillis(), 1);
      const failed = await Promise.all(foldToNewest(items).map((folded) => apply(folded, milliseconds)));
      unfinished.push(...failed.flat());
      log("info", "Events projected", {
        projection: name,
        events: event.Records.length,
        failed: unfinished.length,
      });
      return failedMessages(unfinished);
    };
  });
}

function projected(projection: AnyProjection, received: ReceivedEvent): ProjectedItem {
  const { event, version } = received;
  const { state } = currentData(projection.aggregate, received);
  const aggregateId = event.subject;
  const item = { aggregateId, version, occurredAt: event.time, eventId: event.id };
  if (state === null) return item;
  // `project()` typed `select` for this aggregate's state when the projection was declared.
  const fields = projection.select(state as never);
  const whole = { ...item, fields, ...indexAttributes(projection.indexes, fields) };
  checkedItemBytes(`The projection of ${projection.aggregate.name} "${aggregateId}"`, whole);
  return whole;
}

/** The item that an event projects to, and the message that delivered it. */
export interface ProjectedMessage {
  messageId: string;
  item: ProjectedItem;
}

/** The newest item of one aggregate in a batch, and all messages that writing it completes. */
export interface FoldedMessages {
  newest: ProjectedItem;
  messageIds: string[];
}

/**
 * Folds a batch to the newest version of each aggregate. An event carries the aggregate's whole public state,
 * so older events of the same batch add nothing.
 */
export function foldToNewest(messages: readonly ProjectedMessage[]): FoldedMessages[] {
  const folded = new Map<string, FoldedMessages>();
  for (const { messageId, item } of messages) {
    const known = folded.get(item.aggregateId);
    if (!known) {
      folded.set(item.aggregateId, { newest: item, messageIds: [messageId] });
      continue;
    }
    known.messageIds.push(messageId);
    if (item.version > known.newest.version) known.newest = item;
  }
  return [...folded.values()];
}
