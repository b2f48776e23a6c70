import type { RunningSystem } from "../running-system";
import { type EventInMessage, eventIn } from "./event-in-message";
import { withHeldMessages } from "./held-messages";

/** An event on the bus that no contract knows. */
export interface UnclaimedEvent extends EventInMessage {
  messageId: string;
  sentAt: string;
  /** The source and detail type by which the rules did not find it; absent if the message has none. */
  source?: string;
  detailType?: string;
}

/** Lists the events that no contract knows, oldest first. They stay in their queue. */
export async function listUnclaimed({
  clients,
  unclaimedQueue,
}: Pick<RunningSystem, "clients" | "unclaimedQueue">): Promise<UnclaimedEvent[]> {
  const listed = await withHeldMessages(clients.sqs, unclaimedQueue, (held) =>
    Promise.resolve(
      held.map(({ id, sentAt, body }) => ({ messageId: id, sentAt, ...envelopeOf(body), ...eventIn(body) })),
    ),
  );
  return listed.sort((one, other) => one.sentAt.localeCompare(other.sentAt));
}

function envelopeOf(body: string): Pick<UnclaimedEvent, "source" | "detailType"> {
  try {
    const { source, "detail-type": detailType } = JSON.parse(body) as Record<string, unknown>;
    return {
      ...(typeof source === "string" ? { source } : {}),
      ...(typeof detailType === "string" ? { detailType } : {}),
    };
  } catch {
    return {};
  }
}
