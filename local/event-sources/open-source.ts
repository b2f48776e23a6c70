import type { DeliveryContext } from "./deliver-batch";
import { dynamoReader } from "./dynamodb-reader";
import type { EmulatorConnection, MappedFunction } from "./emulator-connection";
import { kinesisReader } from "./kinesis-reader";
import type { Mapping, StreamMapping } from "./mapping-inputs";
import { discardTo } from "./on-failure-destination";
import type { Pace } from "./pace";
import { consumeQueue } from "./queue-source";
import type { SourceLoop } from "./source-loop";
import { streamPermission } from "./stream-permission";
import type { StreamReader } from "./stream-reader";
import { consumeStream } from "./stream-source";

/** What opening a mapping's source needs. */
export interface OpenContext {
  connection: EmulatorConnection;
  delivery: DeliveryContext;
  pace: Pace;
  /** Aborted when the mapping is stopped. */
  stopped: AbortSignal;
}

/** Starts to consume a mapping's source, with the permissions of its function's role. */
export function openSource(mapping: Mapping, fn: MappedFunction, context: OpenContext): SourceLoop {
  const { connection, ...common } = context;
  const asRoot = connection.root.sqs;
  const asFunction = connection.queueClient(fn, mapping.functionName);
  if (mapping.service === "sqs") return consumeQueue({ ...common, mapping, asFunction, asRoot });
  const { recorder } = common.delivery;
  const discard = discardTo({ ...common, mapping, functionArn: fn.arn, asFunction, asRoot, recorder });
  return consumeStream({ ...common, mapping, reader: readerOf(mapping, fn, connection), discard });
}

function readerOf(mapping: StreamMapping, fn: MappedFunction, connection: EmulatorConnection): StreamReader {
  const { sourceArn, functionName } = mapping;
  if (mapping.service === "kinesis") {
    return kinesisReader(connection.kinesisClient(fn, functionName), sourceArn, fn.roleArn);
  }
  const { iam, dynamodbStreams } = connection.root;
  return dynamoReader(dynamodbStreams, sourceArn, streamPermission(iam, fn.roleArn, sourceArn));
}
