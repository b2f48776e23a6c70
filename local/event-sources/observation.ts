import type { DynamoDBRecord, KinesisStreamRecord, SQSRecord } from "aws-lambda";
import { errorCode } from "../../runtime/function/coded-error";
import type { Mapping, SourceService } from "./mapping-inputs";

/** A record as the function receives it in its event. */
export type SourceRecord = KinesisStreamRecord | DynamoDBRecord | SQSRecord;

/** Why the function did not answer a batch; none of these counts as an attempt. */
export type UndeliveredCause = "throttled" | "unreachable" | "refused" | "lost";

interface Records {
  records: readonly SourceRecord[];
}

/** What happened, without where and when. */
export type Happening =
  /** Records were read from the shard or the queue. */
  | ({ kind: "received" } & Records)
  /** Records did not match the mapping's filter and count as processed. */
  | ({ kind: "filtered" } & Records)
  /** A batch is on its way to the function. `attempt` counts from 1. */
  | ({ kind: "invoked"; attempt: number } & Records)
  /** The records of a batch that count as processed. */
  | ({ kind: "succeeded" } & Records)
  /** The records of a batch that do not, and are delivered again. */
  | ({ kind: "failed"; reason: string } & Records)
  /** No answer of the function was received. */
  | ({ kind: "undelivered"; cause: UndeliveredCause; reason: string } & Records)
  /** Streams: everything up to this sequence number is processed. */
  | { kind: "checkpointed"; sequenceNumber: string }
  /** Queues: messages were deleted. */
  | ({ kind: "deleted" } & Records)
  /** The mapping cannot work, for example because a permission is missing. It keeps trying. */
  | { kind: "problem"; code: string; message: string }
  | { kind: "recovered" };

/** Something that an event source did. */
export type Observation = Happening & {
  /** Milliseconds since 1970. */
  at: number;
  functionName: string;
  sourceArn: string;
  service: SourceService;
  /** Streams only. */
  shardId?: string;
};

/** Receives observations as they happen, in order. It must not throw. */
export type Observer = (observation: Observation) => void;

/** How often things happened since the start. Counts records, unless a comment says otherwise. */
export interface EventSourceCounts {
  received: number;
  filtered: number;
  /** Invocations. */
  invocations: number;
  succeeded: number;
  /** Records in a failed batch, each time it fails. */
  failed: number;
  /** Batches without an answer. */
  undelivered: number;
}

/** A reason why a mapping does not work at present. */
export interface Problem {
  code: string;
  message: string;
}

/** Counts and reports what an event source does, and remembers its current problems. */
export interface Recorder {
  record(happening: Happening, shardId?: string): void;
  /** Notes that something at `place` fails. A message is reported once for as long as the problem lasts. */
  problem(place: string, error: unknown): void;
  /** Notes that `place` works, or works again. */
  solved(place: string): void;
  problems(): readonly Problem[];
  counts(): EventSourceCounts;
}

/** Creates the recorder of a mapping. Without an observer, problems are written to stderr, to be noticed. */
export function createRecorder(mapping: Mapping, observe: Observer = reportProblems): Recorder {
  const counts = { received: 0, filtered: 0, invocations: 0, succeeded: 0, failed: 0, undelivered: 0 };
  const problems = new Map<string, Problem>();
  const { functionName, sourceArn, service } = mapping;
  const record = (happening: Happening, shardId?: string): void => {
    count(counts, happening);
    const where = { at: Date.now(), functionName, sourceArn, service };
    observe({ ...happening, ...where, ...(shardId === undefined ? {} : { shardId }) });
  };
  return {
    record,
    problem: (place, error) => {
      const message = error instanceof Error ? error.message : String(error);
      const code = errorCode(error) ?? "EVENT_SOURCE_FAILED";
      if (problems.get(place)?.message === message) return;
      const isKnown = [...problems.values()].some((problem) => problem.message === message);
      problems.set(place, { code, message });
      if (!isKnown) record({ kind: "problem", code, message });
    },
    solved: (place) => {
      if (problems.delete(place) && problems.size === 0) record({ kind: "recovered" });
    },
    problems: () => [...problems.values()],
    counts: () => ({ ...counts }),
  };
}

function count(counts: EventSourceCounts, happening: Happening): void {
  const { kind } = happening;
  if (kind === "invoked") counts.invocations += 1;
  else if (kind === "undelivered") counts.undelivered += 1;
  else if (kind === "received" || kind === "filtered" || kind === "succeeded" || kind === "failed") {
    counts[kind] += happening.records.length;
  }
}

function reportProblems(observation: Observation): void {
  if (observation.kind !== "problem") return;
  const { functionName, sourceArn, code, message } = observation;
  process.stderr.write(
    `PROBLEM: the event source "${sourceArn}" of "${functionName}": ${code}: ${message}\n`,
  );
}
