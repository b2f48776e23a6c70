import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { currentData } from "../cloud-event";
import { documentClient } from "../document-client";
import { ENVIRONMENT, variableMap } from "../environment";
import { log } from "../log";
import { failedMessages, logFailure, readMessages } from "../messages";
import type { AnyProjection } from "../project";
import { type FoldedMessages, foldToNewest } from "./fold";
import { type ProjectedItem, writeProjection } from "./write";

/**
 * Makes the handler of a projection: a batch is folded to the newest version of each aggregate, then each is one conditional write.
 *
 * @param name the subscription, as registered
 */
export function makeProjectionHandler(name: string, projection: AnyProjection) {
  return () => {
    const documents = documentClient();
    const tableName = variableMap(ENVIRONMENT.projectionTables)[name] ?? "";
    const apply = async (folded: FoldedMessages): Promise<string[]> => {
      try {
        await writeProjection(documents, tableName, projected(projection, folded));
        return [];
      } catch (error) {
        for (const messageId of folded.messageIds) logFailure(messageId, folded.newest.event.id, error);
        return folded.messageIds;
      }
    };
    return async (event: SQSEvent): Promise<SQSBatchResponse> => {
      const { messages, unreadable } = readMessages(event);
      const failed = await Promise.all(foldToNewest(messages).map(apply));
      const unfinished = [...unreadable, ...failed.flat()];
      log("info", "Events projected", {
        projection: name,
        events: event.Records.length,
        failed: unfinished.length,
      });
      return failedMessages(unfinished);
    };
  };
}

function projected(projection: AnyProjection, { aggregateId, newest }: FoldedMessages): ProjectedItem {
  const { event, version } = newest;
  const { state } = currentData(projection.aggregate, newest);
  const item = { aggregateId, version, occurredAt: event.time, eventId: event.id };
  // Whoever declared the projection typed `select` for this aggregate's state.
  return state === null ? item : { ...item, fields: projection.select(state as never) };
}
