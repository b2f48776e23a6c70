import type { KinesisStreamRecord } from "aws-lambda";
import type {
  ShardDescription,
  StreamReader,
} from "../../../../dist/local/event-sources/streams/stream-reader.js";

interface FakeShard extends ShardDescription {
  events: KinesisStreamRecord[];
  isClosed: boolean;
}

/** A stream in memory. Sequence numbers are "<shard>-0001" and so on; a record's data is its key and number, e.g. "a1". */
export interface FakeStream extends StreamReader {
  addShard(shardId: string, parentShardIds?: string[]): void;
  closeShard(shardId: string): void;
  removeShard(shardId: string): void;
  /** Adds a record for each name, e.g. "a1": the first letter is its key. A record of the key "x" is a REMOVE. */
  put(shardId: string, ...names: string[]): void;
  /** The next calls of `iterator` or `read` reject with errors of these names. */
  failNext(method: "iterator" | "read" | "listShards", ...errorNames: string[]): void;
  /** All calls reject with an error of this name, until it is undefined again. */
  refuse(errorName: string | undefined): void;
}

/** What a record was put as. */
export function nameOf(record: { kinesis?: { data: string } }): string {
  return Buffer.from(record.kinesis?.data ?? "", "base64").toString();
}

export function fakeStream(...shardIds: string[]): FakeStream {
  const shards = new Map<string, FakeShard>();
  const failures: Record<string, string[]> = {};
  const shard = (shardId: string): FakeShard => {
    const found = shards.get(shardId);
    if (!found) throw named("ResourceNotFoundException");
    return found;
  };
  let refusal: string | undefined;
  const meetFailure = (method: string): void => {
    if (refusal !== undefined) throw named(refusal);
    const name = failures[method]?.shift();
    if (name !== undefined) throw named(name);
  };
  const stream: FakeStream = {
    addShard: (shardId, parentShardIds = []) => {
      shards.set(shardId, { shardId, parentShardIds, events: [], isClosed: false });
    },
    closeShard: (shardId) => {
      shard(shardId).isClosed = true;
    },
    removeShard: (shardId) => {
      shards.delete(shardId);
    },
    put: (shardId, ...names) => {
      const { events } = shard(shardId);
      for (const name of names) events.push(eventOf(shardId, events.length + 1, name));
    },
    failNext: (method, ...errorNames) => {
      (failures[method] ??= []).push(...errorNames);
    },
    refuse: (errorName) => {
      refusal = errorName;
    },
    describe: () => Promise.resolve(),
    listShards: async () => {
      meetFailure("listShards");
      return Promise.resolve([...shards.values()]);
    },
    iterator: async (shardId, afterSequenceNumber) => {
      meetFailure("iterator");
      const { events } = shard(shardId);
      const at = events.findIndex(({ kinesis }) => kinesis.sequenceNumber === afterSequenceNumber);
      return Promise.resolve(String(at + 1));
    },
    read: async (shardId, iterator, limit) => {
      meetFailure("read");
      const { events, isClosed } = shard(shardId);
      const records = events.slice(Number(iterator), Number(iterator) + limit);
      const next = Number(iterator) + records.length;
      return Promise.resolve({
        records,
        next: isClosed && next === events.length ? undefined : String(next),
        isAtTip: records.length === 0,
      });
    },
  };
  for (const shardId of shardIds) stream.addShard(shardId);
  return stream;
}

function eventOf(shardId: string, number: number, name: string): KinesisStreamRecord {
  const sequenceNumber = `${shardId}-${String(number).padStart(4, "0")}`;
  return {
    kinesis: {
      kinesisSchemaVersion: "1.0",
      partitionKey: name.slice(0, 1),
      sequenceNumber,
      data: Buffer.from(name).toString("base64"),
      approximateArrivalTimestamp: Date.now() / 1000,
    },
    eventSource: "aws:kinesis",
    eventVersion: "1.0",
    eventID: `${shardId}:${sequenceNumber}`,
    eventName: name.startsWith("x") ? "REMOVE" : "INSERT",
    invokeIdentityArn: "",
    awsRegion: "us-east-1",
    eventSourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/fake",
  };
}

function named(name: string): Error {
  return Object.assign(new Error(`${name} of the fake stream`), { name });
}
