import { codedError } from "../../runtime/function/coded-error";
import { createCheckpoint, type Checkpoint } from "./checkpoint";
import { laneOf } from "./lane-key";
import { idleDelay, retryDelay } from "./pace";
import { createPulse, sleep, type Pulse } from "./pulse";
import { runLane, type Lane } from "./shard-lane";
import type { ShardContext, ShardState } from "./shard-state";
import {
  classifyReadFailure,
  isTip,
  type ReadFailure,
  type ShardPosition,
  type StreamPage,
  type StreamRecord,
} from "./stream-reader";

/** One life of a shard's poller. */
interface Run {
  lanes: Lane[];
  checkpoint: Checkpoint;
  /** Rings when records went to the lanes. */
  arrivals: Pulse;
  /** Rings when records are processed. */
  space: Pulse;
  /** Aborted when the life ends. */
  ended: AbortSignal;
}

/**
 * Reads a shard from its checkpoint and processes it in its lanes. Resolves with "finished" once a closed shard is processed to its end,
 * and with "ended" if the mapping is stopped or a fault kills the poller.
 */
export async function runShard(context: ShardContext, state: ShardState): Promise<"finished" | "ended"> {
  const { stopped, mapping } = context;
  const ender = new AbortController();
  const end = (): void => ender.abort();
  stopped.addEventListener("abort", end);
  const run: Run = {
    lanes: Array.from({ length: mapping.parallelizationFactor }, () => ({ waiting: [], waitingSince: 0 })),
    checkpoint: createCheckpoint(state.checkpoint),
    arrivals: createPulse(),
    space: createPulse(),
    ended: ender.signal,
  };
  const lanes = Promise.all(
    run.lanes.map((lane) => runLane(lane, laneContext(context, state, run)).finally(end)),
  );
  // The rejection is met below; this keeps it from counting as unhandled before that.
  lanes.catch(() => undefined);
  try {
    return (await readShard(context, state, run)) ? "finished" : "ended";
  } finally {
    end();
    await lanes;
    stopped.removeEventListener("abort", end);
    // The next life reads what this one has not processed.
    state.outstanding.clear();
  }
}

function laneContext(context: ShardContext, state: ShardState, run: Run) {
  const { shardId, mapping, delivery, pace, discard } = context;
  const complete = (records: readonly StreamRecord[]): void => completeRecords(context, state, run, records);
  return { shardId, mapping, delivery, pace, arrivals: run.arrivals, ended: run.ended, complete, discard };
}

/** Reads until the shard is closed and everything of it is processed (true), or the life ends (false). */
async function readShard(context: ShardContext, state: ShardState, run: Run): Promise<boolean> {
  const { shardId, reader, mapping, pace, delivery } = context;
  const { recorder } = delivery;
  const place = `shard ${shardId}`;
  const capacity = mapping.batchSize * mapping.parallelizationFactor;
  let lastRead = state.checkpoint;
  let iterator: string | undefined;
  let isTrimmed = false;
  let failures = 0;
  let emptyReads = 0;
  while (!run.ended.aborted) {
    if (state.outstanding.size >= capacity) {
      await run.space.wait(Infinity, run.ended);
      continue;
    }
    try {
      iterator ??= await reader.iterator(
        shardId,
        isTrimmed ? { type: "TRIM_HORIZON" } : positionOf(context, state, lastRead),
      );
      state.onPositioned();
      const number = (state.reads.started += 1);
      const page = await reader.read(shardId, iterator, mapping.batchSize);
      [failures, isTrimmed] = [0, false];
      recorder.solved(place);
      lastRead = page.records.at(-1)?.sequenceNumber ?? lastRead;
      takePage(context, state, run, page);
      Object.assign(state.reads, {
        completed: number,
        atTip: isTip(page),
        behindMilliseconds: page.behindMilliseconds,
      });
      state.readDone.ring();
      if (page.next === undefined) return await allProcessed(state, run);
      iterator = page.next;
      emptyReads = isTip(page) ? emptyReads + 1 : 0;
      const isWanted = state.reads.started < state.reads.wanted;
      if (emptyReads > 0 && !isWanted) await state.wake.wait(idleDelay(emptyReads, pace), run.ended);
    } catch (error) {
      failures += 1;
      const failure = await confirmFailure(context, error);
      if (failure === "gone") return await allProcessed(state, run);
      if (failure === "trimmed") isTrimmed = true;
      // After a fault of the stream's server an iterator may lead elsewhere. Without a place to find back to it is kept: another one
      // at LATEST would pass over what came since.
      const isPlaceKnown = (lastRead ?? state.firstRead) !== undefined || context.start.type !== "LATEST";
      if (failure === "trimmed" || failure === "expired" || (failure === "problem" && isPlaceKnown))
        iterator = undefined;
      if (failure === "expired" && lastRead === undefined && state.firstRead === undefined) {
        recorder.problem(place, positionLost(context));
      } else if (failure === "problem" || failure === "trimmed") {
        recorder.problem(place, error);
      }
      state.onPositioned();
      await sleep(failure === "problem" ? pace.problemMilliseconds : retryDelay(failures, pace), run.ended);
    }
  }
  return false;
}

function positionOf(context: ShardContext, state: ShardState, lastRead: string | undefined): ShardPosition {
  if (lastRead !== undefined) return { type: "AFTER_SEQUENCE_NUMBER", sequenceNumber: lastRead };
  if (state.firstRead !== undefined) return { type: "AT_SEQUENCE_NUMBER", sequenceNumber: state.firstRead };
  return context.start;
}

/** "Not found" may be the shard or the whole stream: the shard alone is only then gone when the stream no longer lists it. */
async function confirmFailure({ reader, shardId }: ShardContext, error: unknown): Promise<ReadFailure> {
  const failure = classifyReadFailure(error);
  if (failure !== "gone") return failure;
  try {
    const shards = await reader.listShards();
    return shards.some((shard) => shard.shardId === shardId) ? "problem" : "gone";
  } catch {
    return "problem";
  }
}

function positionLost({ shardId, mapping }: ShardContext) {
  return codedError(
    "SHARD_POSITION_LOST",
    `The position in shard "${shardId}" of "${mapping.sourceArn}" expired before anything was read; with LATEST, what came since is not read. Use TRIM_HORIZON.`,
  );
}

/** Shares the records of a page out to the lanes, apart from those that the filters hold back. */
function takePage(context: ShardContext, state: ShardState, run: Run, page: StreamPage): void {
  const { mapping, shardId, delivery } = context;
  const { records } = page;
  const [first] = records;
  if (!first) return;
  state.firstRead ??= first.sequenceNumber;
  delivery.recorder.record({ kind: "received", records: records.map(({ event }) => event) }, shardId);
  run.checkpoint.read(records.map(({ sequenceNumber }) => sequenceNumber));
  const refused: StreamRecord[] = [];
  for (const record of records) {
    state.outstanding.set(record.sequenceNumber, record);
    if (mapping.accepts(record.event)) addToLane(run.lanes, record);
    else refused.push(record);
  }
  if (refused.length > 0) {
    delivery.recorder.record({ kind: "filtered", records: refused.map(({ event }) => event) }, shardId);
    completeRecords(context, state, run, refused);
  }
  run.arrivals.ring();
}

function addToLane(lanes: readonly Lane[], record: StreamRecord): void {
  const lane = lanes[laneOf(record.orderingKey, lanes.length)];
  if (!lane) return;
  if (lane.waiting.length === 0) lane.waitingSince = Date.now();
  lane.waiting.push(record);
}

function completeRecords(
  context: ShardContext,
  state: ShardState,
  run: Run,
  records: readonly StreamRecord[],
): void {
  const sequenceNumbers = records.map(({ sequenceNumber }) => sequenceNumber);
  for (const sequenceNumber of sequenceNumbers) state.outstanding.delete(sequenceNumber);
  const moved = run.checkpoint.processed(sequenceNumbers);
  run.space.ring();
  if (moved === undefined) return;
  state.checkpoint = moved;
  context.delivery.recorder.record({ kind: "checkpointed", sequenceNumber: moved }, context.shardId);
}

/** Waits until everything that was read is processed; false if the life ends before. */
async function allProcessed(state: ShardState, run: Run): Promise<boolean> {
  while (state.outstanding.size > 0 && !run.ended.aborted) await run.space.wait(Infinity, run.ended);
  return state.outstanding.size === 0;
}
