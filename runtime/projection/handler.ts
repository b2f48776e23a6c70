import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { currentData, type ReceivedEvent } from "../envelope/cloud-event";
import { documentClient } from "../dynamodb/client";
import { checkedItemBytes } from "../dynamodb/item";
import { mapIn } from "../function/environment";
import { handler } from "../function/handler";
import { log } from "../function/log";
import { failedMessages, logFailure, readMessages } from "../function/queue-messages";
import type { AnyProjection } from "../define/project";
import { type FoldedMessages, foldToNewest, type ProjectedMessage } from "./fold";
import { indexAttributes, type ProjectedItem, writeProjection } from "./write";

/**
 * Makes the handler of a projection: what a batch makes of each aggregate is folded to its newest version, then each is one conditional
 * write. An event that cannot be projected goes back by itself: were it the newest, it would take valid ones with it.
 *
 * @param name the subscription, as registered
 */
export function makeProjectionHandler(name: string, projection: AnyProjection) {
  return handler(["PROJECTION_TABLES"], ({ PROJECTION_TABLES }) => {
    const documents = documentClient();
    const tableName = mapIn("PROJECTION_TABLES", PROJECTION_TABLES)[name] ?? "";
    const apply = async (folded: FoldedMessages): Promise<string[]> => {
      try {
        await writeProjection(documents, tableName, folded.newest);
        return [];
      } catch (error) {
        for (const messageId of folded.messageIds) logFailure(messageId, folded.newest.eventId, error);
        return folded.messageIds;
      }
    };
    return async (event: SQSEvent): Promise<SQSBatchResponse> => {
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
      const failed = await Promise.all(foldToNewest(items).map(apply));
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
  // Whoever declared the projection typed `select` for this aggregate's state.
  const fields = projection.select(state as never);
  const whole = { ...item, fields, ...indexAttributes(projection.indexes, fields) };
  checkedItemBytes(`The projection of ${projection.aggregate.name} "${aggregateId}"`, whole);
  return whole;
}
