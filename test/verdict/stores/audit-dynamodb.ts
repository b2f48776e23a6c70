import { DynamoDBClient, type DynamoDBClientConfig, UpdateTableCommand } from "@aws-sdk/client-dynamodb";
import {
  type AttributeValue as ItemValue,
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from "@aws-sdk/client-dynamodb-streams";
import type { AggregateFacts, Landscape } from "../facts";
import type { AuditedChange, Row } from "../snapshot";
import { failure } from "./failure";
import { plainItem } from "./read-dynamodb";

/** Records every change of the microservices' entity tables, independently of the program. */
export interface DynamoAudit {
  /**
   * Reads the new records on the streams. Call it before the emulator is stopped, while nothing is written: a
   * restart keeps the emulator's tables, but loses the records of their streams.
   */
  read(): Promise<void>;
  /** Every change so far, read to the end of the streams. Each aggregate's changes are in their order. */
  changes(): Promise<AuditedChange[]>;
  close(): void;
}

/**
 * Enables a stream with old and new images on each entity table, which has none in the program. The emulator
 * keeps all records of a stream for 24 hours (MiniStack, services/dynamodb.py), so they are read only on
 * demand.
 *
 * @param connection signs as root
 * @param physicalTable logical name of a table -> its physical name
 * @throws STREAM_NOT_ENABLED
 */
export async function startDynamoAudit(
  connection: Pick<DynamoDBClientConfig, "endpoint" | "region" | "credentials">,
  physicalTable: (logicalName: string) => string,
  { aggregates }: Landscape,
): Promise<DynamoAudit> {
  const dynamodb = new DynamoDBClient(connection);
  const client = new DynamoDBStreamsClient(connection);
  const streams: { aggregate: AggregateFacts; arn: string }[] = [];
  for (const aggregate of aggregates.filter(({ store }) => store === "dynamodb"))
    streams.push({ aggregate, arn: await enableStream(dynamodb, physicalTable(aggregate.table)) });
  const found = new Map<string, AuditedChange>();
  const read = async (): Promise<void> => {
    // Always from the beginning, because positions do not survive a restart of the emulator. Known records
    // are skipped.
    for (const { aggregate, arn } of streams)
      for (const record of await recordsOf(client, arn))
        if (!found.has(record.eventID ?? "")) found.set(record.eventID ?? "", changeOf(aggregate, record));
  };
  return {
    read,
    async changes() {
      await read();
      return [...found.values()];
    },
    close() {
      dynamodb.destroy();
      client.destroy();
    },
  };
}

async function enableStream(dynamodb: DynamoDBClient, table: string): Promise<string> {
  const StreamSpecification = { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" as const };
  const { TableDescription } = await dynamodb.send(
    new UpdateTableCommand({ TableName: table, StreamSpecification }),
  );
  if (TableDescription?.LatestStreamArn) return TableDescription.LatestStreamArn;
  throw failure("STREAM_NOT_ENABLED", `Table "${table}" got no stream. Check the emulator's log.`);
}

async function recordsOf(client: DynamoDBStreamsClient, arn: string): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn: arn }));
  for (const { ShardId } of StreamDescription?.Shards ?? []) {
    const position = { StreamArn: arn, ShardId, ShardIteratorType: "TRIM_HORIZON" as const };
    let { ShardIterator: iterator } = await client.send(new GetShardIteratorCommand(position));
    while (iterator) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator }));
      records.push(...(page.Records ?? []));
      // The emulator returns an empty page only at the end of the shard.
      iterator = page.Records?.length ? page.NextShardIterator : undefined;
    }
  }
  return records;
}

/** Writing a tombstone (`removed`) counts as a deletion, overwriting one as an insert. */
function changeOf({ name, key }: AggregateFacts, { dynamodb = {} }: StreamRecord): AuditedChange {
  const before = imageOf(dynamodb.OldImage);
  const after = imageOf(dynamodb.NewImage);
  const wasThere = before !== undefined && !before["removed"];
  const isThere = after !== undefined && !after["removed"];
  const oldVersion = before ? Number(before["version"]) : null;
  return {
    aggregate: name,
    id: String((after ?? before)?.[key]),
    operation: isThere ? (wasThere ? "update" : "insert") : "delete",
    oldVersion,
    newVersion: after ? Number(after["version"]) : Number(oldVersion) + 1,
    row: isThere ? after : null,
  };
}

function imageOf(image: Record<string, ItemValue> | undefined): Row | undefined {
  return image && plainItem(image);
}
