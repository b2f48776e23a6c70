import type { ReceivedEvent } from "../cloud-event";

/** An event and the message that it came in. */
export interface ReceivedMessage {
  messageId: string;
  received: ReceivedEvent;
}

/** The newest event of one aggregate in a batch, and all messages that it settles. */
export interface FoldedMessages {
  aggregateId: string;
  newest: ReceivedEvent;
  messageIds: string[];
}

/**
 * Folds a batch to the newest version of each aggregate: an event carries the aggregate's whole public state, so an older one of the
 * same batch has nothing to add.
 */
export function foldToNewest(messages: readonly ReceivedMessage[]): FoldedMessages[] {
  const folded = new Map<string, FoldedMessages>();
  for (const { messageId, received } of messages) {
    const aggregateId = received.event.subject;
    const known = folded.get(aggregateId);
    if (!known) {
      folded.set(aggregateId, { aggregateId, newest: received, messageIds: [messageId] });
      continue;
    }
    known.messageIds.push(messageId);
    if (received.version > known.newest.version) known.newest = received;
  }
  return [...folded.values()];
}
