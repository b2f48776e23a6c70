import {
  CreateTableCommand,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
  type AttributeDefinition,
  type KeySchemaElement,
  type ProjectionType,
  type ProvisionedThroughput,
} from "@aws-sdk/client-dynamodb";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind, tagList, type PlainInputs } from "../resource-kind";

type TableInputs = PlainInputs<aws.dynamodb.TableArgs>;

const LONGEST_WAIT_SECONDS = 30;
const POLL_SECONDS = 0.05;
/** The label in a stream's ARN is the time at which it was enabled; a dry run has none. */
const DRY_RUN_STREAM_LABEL = "2000-01-01T00:00:00.000";

export const table = resourceKind<aws.dynamodb.TableArgs>({
  type: "aws:dynamodb/table:Table",
  naming: { input: "name", limit: 255 },
  effective: [
    "name",
    "attributes",
    "billingMode",
    "deletionProtectionEnabled",
    "globalSecondaryIndexes",
    "hashKey",
    "localSecondaryIndexes",
    "rangeKey",
    "readCapacity",
    "streamEnabled",
    "streamViewType",
    "tableClass",
    "tags",
    "ttl",
    "writeCapacity",
  ],
  ineffective: {
    pointInTimeRecovery: "the emulator stores the setting; nothing of a local run is kept.",
    serverSideEncryption: "the emulator encrypts nothing.",
  },
  identify: ({ physicalName, inputs }, scope) => {
    const arn = arnOf(scope, "dynamodb", `table/${physicalName}`);
    const stream = { streamArn: `${arn}/stream/${DRY_RUN_STREAM_LABEL}`, streamLabel: DRY_RUN_STREAM_LABEL };
    const outputs = { arn, billingMode: billingMode(inputs), ...(inputs.streamEnabled && stream) };
    return { id: physicalName, outputs };
  },
  create: async ({ physicalName: TableName, inputs }, _identified, { dynamodb }) => {
    const { TableDescription: created } = await dynamodb.send(
      new CreateTableCommand({
        TableName,
        AttributeDefinitions: inputs.attributes?.map(
          // The emulator refuses any other type than S, N and B.
          ({ name, type }) => ({ AttributeName: name, AttributeType: type }) as AttributeDefinition,
        ),
        KeySchema: keySchema(inputs.hashKey, inputs.rangeKey),
        BillingMode: billingMode(inputs),
        ...throughput(inputs, inputs),
        GlobalSecondaryIndexes: inputs.globalSecondaryIndexes?.map((index) => ({
          IndexName: index.name,
          KeySchema:
            index.keySchemas?.map(
              ({ attributeName, keyType }) =>
                ({ AttributeName: attributeName, KeyType: keyType }) as KeySchemaElement,
            ) ?? keySchema(index.hashKey, index.rangeKey),
          Projection: projection(index),
          ...throughput(inputs, index),
        })),
        LocalSecondaryIndexes: inputs.localSecondaryIndexes?.map((index) => ({
          IndexName: index.name,
          KeySchema: keySchema(inputs.hashKey, index.rangeKey),
          Projection: projection(index),
        })),
        ...(inputs.streamEnabled && {
          StreamSpecification: {
            StreamEnabled: true,
            StreamViewType: (inputs.streamViewType ?? "NEW_AND_OLD_IMAGES") as "NEW_AND_OLD_IMAGES",
          },
        }),
        TableClass: inputs.tableClass as "STANDARD" | undefined,
        DeletionProtectionEnabled: inputs.deletionProtectionEnabled,
        Tags: tagList(inputs.tags),
      }),
    );
    await waitUntilTableExists(
      { client: dynamodb, maxWaitTime: LONGEST_WAIT_SECONDS, minDelay: POLL_SECONDS, maxDelay: POLL_SECONDS },
      { TableName },
    );
    const { ttl, pointInTimeRecovery } = inputs;
    if (ttl?.attributeName !== undefined && ttl.enabled !== false) {
      const TimeToLiveSpecification = { AttributeName: ttl.attributeName, Enabled: true };
      await dynamodb.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
    }
    if (pointInTimeRecovery?.enabled) {
      const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
      await dynamodb.send(
        new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }),
      );
    }
    return {
      arn: created?.TableArn,
      streamArn: created?.LatestStreamArn,
      streamLabel: created?.LatestStreamLabel,
    };
  },
});

function billingMode({ billingMode: mode }: TableInputs): "PROVISIONED" | "PAY_PER_REQUEST" {
  return mode === "PAY_PER_REQUEST" ? mode : "PROVISIONED";
}

function keySchema(hashKey: string | undefined, rangeKey: string | undefined): KeySchemaElement[] {
  const range: KeySchemaElement[] =
    rangeKey === undefined ? [] : [{ AttributeName: rangeKey, KeyType: "RANGE" }];
  return [{ AttributeName: hashKey, KeyType: "HASH" }, ...range];
}

function projection(index: { projectionType: string; nonKeyAttributes?: string[] | undefined }) {
  return { ProjectionType: index.projectionType as ProjectionType, NonKeyAttributes: index.nonKeyAttributes };
}

/** The capacity of a table or index; DynamoDB refuses one where requests are paid one by one. */
function throughput(
  inputs: TableInputs,
  of: { readCapacity?: number | undefined; writeCapacity?: number | undefined },
): { ProvisionedThroughput?: ProvisionedThroughput } {
  if (billingMode(inputs) === "PAY_PER_REQUEST") return {};
  return {
    ProvisionedThroughput: { ReadCapacityUnits: of.readCapacity, WriteCapacityUnits: of.writeCapacity },
  };
}
