/** Every kind of fault that a run injects, grouped by where it happens. */
export const FAULT_KINDS = {
  "request repeated": "a caller sends an answered request again",
  "request answer lost": "a caller never sees the answer and sends the request again",

  "call throttled": "an AWS call of a function is refused with a throttling error; nothing was done",
  "call refused": "an AWS call is refused with an error that the SDK does not retry; nothing was done",
  "call cut": "the connection of an AWS call breaks before the service receives it",
  "call answer lost": "an AWS call is done, but its answer never arrives",
  "call delayed": "an AWS call takes longer",
  "killed before call": "the function's process is killed right before an AWS call",
  "killed after call": "the function's process is killed right after an AWS call was done",
  "entries failed": "PutEvents publishes some of its entries and answers that the others failed",
  "entries told failed": "PutEvents publishes all of its entries, but answers that some failed",

  "statement cut": "the database connection breaks before a statement arrives",
  "statement in flight cut": "the database connection breaks while a statement runs",
  "statement answer lost": "a statement, or its COMMIT, is done, but its answer never arrives",
  "statement delayed": "a statement takes longer",
  "killed before statement": "the function's process is killed right before a statement",
  "killed after statement": "the function's process is killed right after a statement was done",

  "invocation lost": "a batch never reaches its function",
  "delivered twice": "a batch is delivered twice in a row",
  "batch answer lost": "a batch is processed, but its answer never arrives, so it is delivered again",
  "poller killed before": "an event source dies before it delivers a batch, and restarts from its checkpoint",
  "poller killed after":
    "an event source dies after it delivered a batch, before its checkpoint or its deletions",
  "delivery delayed": "a batch waits before it is delivered",
  "messages reordered": "a queue's messages are delivered in another order",
  "messages duplicated": "a queue delivers some messages more than once",
  "messages held back": "a queue delivers some messages later",

  "capture restarted":
    "change data capture crashes before it writes records to the stream or before it acknowledges them, and reads again from the slot",
  "PostgreSQL killed": "PostgreSQL and all its processes are killed (SIGKILL); it recovers from its log",
  "emulator restarted": "the AWS emulator is stopped and started again with its state",
  "shard split": "a shard of the monolith's stream is split",
  "record undecodable": "a record that is not an outbox row is put on the monolith's stream",
  "event refused": "an event that its handlers always refuse is put on the bus",
} as const;

/** The name of a kind of fault. */
export type FaultKind = keyof typeof FAULT_KINDS;
