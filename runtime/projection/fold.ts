import type { ProjectedItem } from "./write";

/** What an event makes of its aggregate, and the message that it came in. */
export interface ProjectedMessage {
  messageId: string;
  item: ProjectedItem;
}

/** The newest item of one aggregate in a batch, and all messages that it settles. */
export interface FoldedMessages {
  newest: ProjectedItem;
  messageIds: string[];
}

/**
 * Folds a batch to the newest version of each aggregate: an event carries the aggregate's whole public state, so an older one of the
 * same batch has nothing to add.
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
