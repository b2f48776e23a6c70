/**
 * What the project promises, each in one sentence. The verdict on a run names what was broken by these names.
 */
export const GUARANTEES = {
  ONE_EVENT_PER_CHANGE:
    "Every committed change of an aggregate has exactly one event in its domain's outbox, with the next version and the public state after the change, and every event has its change.",
  VERSIONS_WITHOUT_GAPS:
    "The versions of an aggregate begin with 1 and grow by one at every change, also when it is deleted and created again, and its table stands where the last change left it.",
  EVERY_EVENT_PUBLISHED: "Every event of an outbox was on the bus, unchanged, and nothing else was.",
  EVERY_EVENT_REACHES_ITS_SUBSCRIBERS:
    "Every event reached every subscription that asks for it, and none waits in a dead-letter queue.",
  PROJECTION_EQUALS_SOURCE:
    "Every projected row holds the public state of its source at its newest version, and no row is there without a source.",
  GONE_IN_PROJECTIONS:
    "Of an aggregate that is gone, every projection holds a tombstone of its last version, and no fields.",
  REACTION_ONCE:
    "Every reaction took effect exactly once for each of its events, as its inbox, its events and its aggregates say alike.",
  NOTHING_PRIVATE_LEAVES:
    "Private fields and their values are in their own domain's tables only: not in events, queues, projections or tables of other domains.",
  QUARANTINED_WITH_PAYLOAD:
    "Every record that cannot be decoded is quarantined, and every event that its subscriber always refuses is in a dead-letter queue, each with its whole payload; no other record is quarantined.",
  COMMANDS_TOLD_TRULY:
    "A command that was answered as done is done, once and as told; one that never was answered otherwise than as not done is not; and every event has a request or an event that caused it.",
} as const;

/** The name of a guarantee. */
export type Guarantee = keyof typeof GUARANTEES;
