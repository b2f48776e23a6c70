/**
 * What the project promises, each in one sentence. The verdict on a run reports what was broken by these
 * names; docs/guarantees.md explains each.
 */
export const GUARANTEES = {
  ONE_EVENT_PER_CHANGE:
    "Each committed change of an aggregate has exactly one event in its domain's outbox, with the change's version and the public state after it, and each event has its change.",
  VERSIONS_WITHOUT_GAPS:
    "The versions of an aggregate start at 1 and grow by one with each change, also across removal and re-creation, and its row holds what the last change wrote.",
  EVERY_EVENT_PUBLISHED:
    "Every event in an outbox reaches the bus unchanged, after all earlier ones of its aggregate, and nothing else does.",
  EVERY_EVENT_REACHES_ITS_SUBSCRIBERS:
    "Every event reaches each subscription to it, unhindered by messages that fail or wait, and after a redrive no dead-letter queue holds an event that its function can process.",
  PROJECTION_EQUALS_SOURCE:
    "Each row of a projection holds the selected fields of its source's public state at the newest version, and no row lacks a source.",
  GONE_IN_PROJECTIONS:
    "For each removed aggregate, every projection of it holds a tombstone with the last version and without fields.",
  REACTION_ONCE:
    "Each reaction takes effect exactly once for each of its events, and its inbox record, events and changes agree on that.",
  NOTHING_PRIVATE_LEAVES:
    "Private fields and their values are only in their own domain's tables, and not in events, queues, projections, answers, logs or tables of other domains.",
  QUARANTINED_WITH_PAYLOAD:
    "A record that cannot be published, an event that its function always refuses, and one that no contract knows wait in a queue with their whole payload, and no other record is quarantined but later events of the same aggregate.",
  COMMANDS_TOLD_TRULY:
    "A command reported as done took effect once and as reported, a command only ever reported as not done had no effect, a request that is sent again is answered, and every event was caused by a request or an event.",
} as const;

/** The name of a guarantee. */
export type Guarantee = keyof typeof GUARANTEES;
