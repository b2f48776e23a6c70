import { errorCode } from "../../runtime/function/coded-error";
import type { Mapping } from "./mapping-inputs";
import type { Happening, Observation, Observer } from "./observation";

/** How often things happened, since the start. Records are counted, unless said otherwise. */
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
  discarded: number;
}

/** A reason why a mapping does not work at present. */
export interface Problem {
  code: string;
  message: string;
  /** Milliseconds since 1970. */
  since: number;
}

/** Counts and passes on what an event source does, and remembers its problems. */
export interface Recorder {
  record(happening: Happening, shardId?: string): void;
  /** Notes that something at `place` is refused or fails; a message is observed once as long as it stands. */
  problem(place: string, error: unknown): void;
  /** Notes that it works (again). */
  solved(place: string): void;
  problems(): readonly Problem[];
  counts(): EventSourceCounts;
}

/** Makes the recorder of a mapping. Without an observer, problems are written to stderr, since they must not go unnoticed. */
export function createRecorder(mapping: Mapping, observe: Observer = reportProblems): Recorder {
  const counts: EventSourceCounts = {
    received: 0,
    filtered: 0,
    invocations: 0,
    succeeded: 0,
    failed: 0,
    undelivered: 0,
    discarded: 0,
  };
  const problems = new Map<string, Problem>();
  const { functionName, sourceArn, service } = mapping;
  const record = (happening: Happening, shardId?: string): void => {
    count(counts, happening);
    const where = {
      at: Date.now(),
      functionName,
      sourceArn,
      service,
      ...(shardId === undefined ? {} : { shardId }),
    };
    observe({ ...happening, ...where });
  };
  return {
    record,
    problem: (place, error) => {
      const message = error instanceof Error ? error.message : String(error);
      const code = errorCode(error) ?? "EVENT_SOURCE_FAILED";
      if (problems.get(place)?.message === message) return;
      const isKnown = [...problems.values()].some((problem) => problem.message === message);
      problems.set(place, { code, message, since: Date.now() });
      if (isKnown) return;
      record({ kind: "problem", code, message });
    },
    solved: (place) => {
      if (problems.delete(place) && problems.size === 0) record({ kind: "recovered" });
    },
    problems: () => [...problems.values()],
    counts: () => ({ ...counts }),
  };
}

function count(counts: EventSourceCounts, happening: Happening): void {
  switch (happening.kind) {
    case "received":
    case "filtered":
    case "succeeded":
    case "failed":
    case "discarded":
      counts[happening.kind] += happening.records.length;
      break;
    case "invoked":
      counts.invocations += 1;
      break;
    case "undelivered":
      counts.undelivered += 1;
      break;
    default:
  }
}

function reportProblems(observation: Observation): void {
  if (observation.kind !== "problem") return;
  const { functionName, sourceArn, code, message } = observation;
  process.stderr.write(
    `PROBLEM: the event source "${sourceArn}" of "${functionName}": ${code}: ${message}\n`,
  );
}
