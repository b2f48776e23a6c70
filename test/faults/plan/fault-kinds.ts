/** Every kind of fault that a run injects, in the order of where it strikes, and what happens. */
export const FAULT_KINDS = {
  "request repeated": "a caller sends a request again that was already answered",
  "request answer lost": "a caller does not receive the answer and sends the request again",

  "call throttled": "an AWS call of a function is throttled; nothing was done",
  "call refused": "an AWS call fails with an error that the SDK does not retry; nothing was done",
  "call cut": "the connection breaks before the AWS service receives a call",
  "call answer lost": "the AWS service executes a call, but its response is lost",
  "call delayed": "an AWS call takes longer",
  "killed before call": "the function's process is killed just before an AWS call",
  "killed after call": "the function's process is killed just after an AWS call succeeded",
  "entries failed": "PutEvents publishes some entries and reports the others as failed",
  "entries told failed": "PutEvents publishes all entries but reports some as failed",
  "event not taken": "the bus refuses one event again and again, until it is put back after the faults",

  "statement cut": "the database connection breaks before a statement arrives",
  "statement in flight cut": "the database connection breaks while a statement runs",
  "statement answer lost": "a statement or COMMIT succeeds, but its response is lost",
  "statement delayed": "a statement takes longer",
  "killed before statement": "the function's process is killed just before a statement",
  "killed after statement": "the function's process is killed just after a statement succeeded",

  "statement cancelled": "the server is asked to cancel a statement while it runs",
  "session read only": "an idle connection can only read from now on, as after a failover",
  "session emptied": "an idle connection loses its prepared statements, as behind a pooler",

  "invocation lost": "a batch never reaches its function",
  "delivered twice": "a batch is delivered twice in a row",
  "batch answer lost": "a batch is processed, but the response is lost, so it is delivered again",
  "poller killed before": "an event source dies before it delivers a batch and restarts at its checkpoint",
  "poller killed after": "an event source dies after it delivered a batch, before its checkpoint or deletes",
  "delivery delayed": "a batch waits before it is delivered",
  "messages reordered": "a queue delivers its messages in another order",
  "messages duplicated": "a queue delivers some messages more than once",
  "messages held back": "a queue delivers some messages later",

  "capture restarted": "capture crashes before it writes or acknowledges records, and reads them again",
  "PostgreSQL killed": "PostgreSQL is killed (kill -9) with all its processes and recovers from its log",
  "PostgreSQL restarted": "PostgreSQL shuts down in order, which ends all connections, and starts again",
  "idle connections ended": "all connections that run no statement are ended by the server",
  "row locked": "a row stays locked for so long that every reaction that changes it fails",
  "emulator restarted": "the AWS emulator is stopped and started again with its state",
  "shard split": "a shard of the monolith's stream is split",
  "record undecodable": "a record that is not an outbox row is put on the monolith's stream",
  "event refused": "an event that its functions always refuse is put on the bus",
  "event unclaimed": "an event that no contract knows is put on the bus",
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;
