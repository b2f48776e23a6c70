import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

export interface TableArgs {
  hashKey: string;
  rangeKey?: { name: string; type: "S" | "N" };
  /** Global secondary indexes, each on one text attribute. */
  indexes?: readonly { name: string; attribute: string }[];
  /** Whether new items are streamed. @default false */
  stream?: boolean;
  /** Attribute with the time (epoch seconds) at which an item expires. @default items do not expire */
  expires?: string;
  deletionProtection: boolean;
}

/** Declares a DynamoDB table, billed per request, encrypted, with point-in-time recovery. */
export function table(name: string, args: TableArgs, opts: pulumi.CustomResourceOptions): aws.dynamodb.Table {
  const { rangeKey, indexes = [] } = args;
  return new aws.dynamodb.Table(
    name,
    {
      billingMode: "PAY_PER_REQUEST",
      hashKey: args.hashKey,
      attributes: [
        { name: args.hashKey, type: "S" },
        ...(rangeKey ? [rangeKey] : []),
        ...indexes.map(({ attribute }) => ({ name: attribute, type: "S" })),
      ],
      ...(rangeKey ? { rangeKey: rangeKey.name } : {}),
      globalSecondaryIndexes: indexes.map(({ name: index, attribute }) => ({
        name: index,
        keySchemas: [{ attributeName: attribute, keyType: "HASH" }],
        projectionType: "ALL",
      })),
      ...(args.stream ? { streamEnabled: true, streamViewType: "NEW_IMAGE" } : {}),
      ...(args.expires ? { ttl: { enabled: true, attributeName: args.expires } } : {}),
      pointInTimeRecovery: { enabled: true },
      deletionProtectionEnabled: args.deletionProtection,
    },
    opts,
  );
}
