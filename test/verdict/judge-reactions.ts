import { effectFault } from "./effects";
import { type Facts, keyOf, nameOfEvent } from "./facts";
import { type Finding, finder } from "./finding";
import { REACTIONS, type ReactionFacts } from "./landscape";
import type { OutboxEntry } from "./snapshot";

const unreached = finder("EVERY_EVENT_REACHES_ITS_SUBSCRIBERS");
const finding = finder("REACTION_ONCE");

/** Looks for each event and reaction at the inbox record, the events that the reaction raised, and what it changed. */
export function judgeReactions(facts: Facts): Finding[] {
  const reached = REACTIONS.flatMap((reaction) => judgeReaction(reaction, facts));
  return [...reached, ...strayRecords(facts), ...strayEffects(facts)];
}

function judgeReaction(reaction: ReactionFacts, facts: Facts): Finding[] {
  const findings: Finding[] = [];
  for (const event of facts.snapshot.outbox) {
    if (!reactsTo(reaction, event)) continue;
    const { subscription, consumer } = reaction;
    const where = `${consumer} on ${nameOfEvent(event)}`;
    const records = facts.inbox.get(keyOf(consumer, event.id)) ?? [];
    const effects = (facts.causedBy.get(event.id) ?? []).filter(({ type }) => type === reaction.makes);
    const isRefused = facts.refused.has(keyOf(subscription, event.id));
    const [record, ...more] = records;
    if (isRefused) {
      if (record || effects.length > 0)
        findings.push(finding(where, "no effect, since it is refused", record ?? effects.map(nameOfEvent)));
    } else if (!record) {
      if (effects.length === 0) findings.push(unreached(where, "an inbox record", "none"));
      else findings.push(finding(where, "an inbox record beside its effects", effects.map(nameOfEvent)));
    } else {
      if (more.length > 0) findings.push(finding(where, "one inbox record", `${records.length} records`));
      const fault = effectFault(reaction, { event, effects, record }, facts);
      if (fault) findings.push(finding(where, fault.expected, fault.found));
    }
  }
  return findings;
}

/** Records of events that there are none of, or of consumers that react to nothing of the kind. */
function strayRecords({ snapshot, eventsById }: Facts): Finding[] {
  return snapshot.inbox
    .filter(({ consumer }) => !consumer.endsWith(".commands"))
    .filter(({ consumer, messageId }) => {
      const [event] = eventsById.get(messageId) ?? [];
      return (
        !event || !REACTIONS.some((reaction) => reaction.consumer === consumer && reactsTo(reaction, event))
      );
    })
    .map(({ consumer, messageId }) =>
      finding(`inbox of ${consumer}`, "records of events that it reacts to", `event "${messageId}"`),
    );
}

/** Events that an event caused though no reaction to it raises such events. */
function strayEffects({ snapshot, eventsById }: Facts): Finding[] {
  const findings: Finding[] = [];
  for (const effect of snapshot.outbox) {
    const [cause] = eventsById.get(effect.causationId ?? "") ?? [];
    if (!cause || REACTIONS.some((reaction) => reactsTo(reaction, cause) && effect.type === reaction.makes))
      continue;
    findings.push(finding(nameOfEvent(effect), "a cause that is reacted to so", nameOfEvent(cause)));
  }
  return findings;
}

function reactsTo({ to }: ReactionFacts, event: OutboxEntry): boolean {
  return event.type === to.type && event.aggregate === to.aggregate;
}
