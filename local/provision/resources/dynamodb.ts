import {
  CreateTableCommand,
  type KeySchemaElement,
  type AttributeDefinition,
  type ProjectionType,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind } from "../resource-kind";

const LONGEST_WAIT_SECONDS = 30;
const POLL_SECONDS = 0.05;
/** The label in a stream's ARN is the time at which it was enabled; a dry run has none. */
const DRY_RUN_STREAM_LABEL = "2000-01-01T00:00:00.000";
const ON_DEMAND_ONLY = "tables are on demand in a local run.";

export const table = resourceKind<aws.dynamodb.TableArgs>({
  type: "aws:dynamodb/table:Table",
  naming: { input: "name", limit: 255 },
  effective: [
    "attributes",
    "billingMode",
    "deletionProtectionEnabled",
    "globalSecondaryIndexes",
    "hashKey",
    "rangeKey",
    "streamEnabled",
    "streamViewType",
    "ttl",
  ],
  ineffective: {
    readCapacity: ON_DEMAND_ONLY,
    writeCapacity: ON_DEMAND_ONLY,
    pointInTimeRecovery: "the emulator stores the setting; nothing of a local run is kept.",
    serverSideEncryption: "the emulator encrypts nothing.",
  },
  identify: ({ physicalName, inputs }, scope) => {
    const arn = arnOf(scope, "dynamodb", `table/${physicalName}`);
    const stream = { streamArn: `${arn}/stream/${DRY_RUN_STREAM_LABEL}`, streamLabel: DRY_RUN_STREAM_LABEL };
    return { id: physicalName, outputs: { arn, ...(inputs.streamEnabled && stream) } };
  },
  create: async ({ physicalName: TableName, inputs }, _identified, { dynamodb }) => {
    const { TableDescription: created } = await dynamodb.send(
      new CreateTableCommand({
        TableName,
        AttributeDefinitions: inputs.attributes?.map(
          ({ name, type }) => ({ AttributeName: name, AttributeType: type }) as AttributeDefinition,
        ),
        KeySchema: keySchema(inputs.hashKey, inputs.rangeKey),
        BillingMode: "PAY_PER_REQUEST",
        GlobalSecondaryIndexes: inputs.globalSecondaryIndexes?.map((index) => ({
          IndexName: index.name,
          KeySchema: index.keySchemas?.map(
            ({ attributeName, keyType }) =>
              ({ AttributeName: attributeName, KeyType: keyType }) as KeySchemaElement,
          ),
          Projection: {
            ProjectionType: index.projectionType as ProjectionType,
            NonKeyAttributes: index.nonKeyAttributes,
          },
        })),
        ...(inputs.streamEnabled && {
          StreamSpecification: {
            StreamEnabled: true,
            StreamViewType: (inputs.streamViewType ?? "NEW_AND_OLD_IMAGES") as "NEW_AND_OLD_IMAGES",
          },
        }),
        DeletionProtectionEnabled: inputs.deletionProtectionEnabled,
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

function keySchema(hashKey: string | undefined, rangeKey: string | undefined): KeySchemaElement[] {
  const hash: KeySchemaElement = { AttributeName: hashKey, KeyType: "HASH" };
  return rangeKey === undefined ? [hash] : [hash, { AttributeName: rangeKey, KeyType: "RANGE" }];
}
