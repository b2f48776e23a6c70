import { type EffectFault, type Facts, keyOf, nameOfEvent, type Reacted, type ReactionFacts } from "../facts";
import { type Finding, finder } from "../finding";
import type { OutboxEntry } from "../snapshot";

const unreached = finder("EVERY_EVENT_REACHES_ITS_SUBSCRIBERS");
const finding = finder("REACTION_ONCE");

/**
 * Judges for each event and reaction the inbox record, the events that the reaction raised, and what it
 * changed.
 */
export function judgeReactions(facts: Facts): Finding[] {
  const reached = facts.landscape.reactions.flatMap((reaction) => judgeReaction(reaction, facts));
  return [...reached, ...strayRecords(facts), ...strayEffects(facts)];
}

function judgeReaction(reaction: ReactionFacts, facts: Facts): Finding[] {
  const findings: Finding[] = [];
  for (const event of facts.snapshot.outbox) {
    if (!reactsTo(reaction, event)) continue;
    const { subscription, consumer } = reaction;
    const where = `${consumer} on ${nameOfEvent(event)}`;
    const records = facts.inbox.get(keyOf(consumer, event.id)) ?? [];
    const effects = effectsOf(reaction, event, facts);
    const isRefused = facts.refused.has(keyOf(subscription, event.id));
    const [record, ...more] = records;
    if (isRefused) {
      if (record || (effects.length > 0 && rivals(reaction, event, facts) === 1))
        findings.push(finding(where, "no effect, since it is refused", record ?? effects.map(nameOfEvent)));
    } else if (!record) {
      if (effects.length === 0) findings.push(unreached(where, "an inbox record", "none"));
      else findings.push(finding(where, "an inbox record beside its effects", effects.map(nameOfEvent)));
    } else {
      const locked = facts.journal.locked?.find(
        (one) => one.consumer === consumer && one.events.includes(event.id),
      );
      if (locked && record.processedAt > locked.until)
        findings.push(
          unreached(where, `processed before ${locked.until}, while other rows were locked`, record),
        );
      if (more.length > 0) findings.push(finding(where, "one inbox record", `${records.length} records`));
      const fault = effectFault(reaction, { event, effects, record }, facts);
      if (fault) findings.push(finding(where, fault.expected, fault.found));
    }
  }
  return findings;
}

function effectFault(reaction: ReactionFacts, reacted: Reacted, facts: Facts): EffectFault | undefined {
  const most = rivals(reaction, reacted.event, facts);
  const times = new Map<string, number>();
  for (const { aggregate, aggregateId } of reacted.effects) {
    const key = keyOf(aggregate, aggregateId);
    times.set(key, (times.get(key) ?? 0) + 1);
  }
  if ([...times.values()].some((count) => count > most))
    return { expected: "one effect on each aggregate", found: reacted.effects.map(nameOfEvent) };
  return facts.landscape.known.effects?.[reaction.consumer]?.(reacted, facts);
}

/** The events that a domain raised because of an event. */
function effectsOf({ domain }: ReactionFacts, { id }: OutboxEntry, { causedBy }: Facts): OutboxEntry[] {
  return (causedBy.get(id) ?? []).filter((effect) => domainOf(effect) === domain);
}

/** The number of reactions of a domain to the event; an effect may belong to any of them. */
function rivals({ domain }: ReactionFacts, event: OutboxEntry, { landscape }: Facts): number {
  return landscape.reactions.filter((other) => other.domain === domain && reactsTo(other, event)).length;
}

/** Inbox records of events that do not exist, or of consumers that do not react to their type. */
function strayRecords({ snapshot, eventsById, landscape }: Facts): Finding[] {
  return snapshot.inbox
    .filter(({ consumer }) => !consumer.endsWith(".commands"))
    .filter(({ consumer, messageId }) => {
      const [event] = eventsById.get(messageId) ?? [];
      return !event || !landscape.reactions.some((one) => one.consumer === consumer && reactsTo(one, event));
    })
    .map(({ consumer, messageId }) =>
      finding(`inbox of ${consumer}`, "records of events that it reacts to", `event "${messageId}"`),
    );
}

/** Events that an event caused in a domain that does not react to it. */
function strayEffects({ snapshot, eventsById, landscape }: Facts): Finding[] {
  const findings: Finding[] = [];
  for (const effect of snapshot.outbox) {
    const [cause] = eventsById.get(effect.causationId ?? "") ?? [];
    if (!cause) continue;
    if (landscape.reactions.some((one) => one.domain === domainOf(effect) && reactsTo(one, cause))) continue;
    findings.push(finding(nameOfEvent(effect), "a cause that its domain reacts to", nameOfEvent(cause)));
  }
  return findings;
}

function reactsTo({ to }: ReactionFacts, event: OutboxEntry): boolean {
  return event.type === to.type && event.aggregate === to.aggregate;
}

function domainOf({ aggregate }: OutboxEntry): string | undefined {
  return aggregate.split(".")[0];
}
