import { CreateTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";

/** Makes a relay's table of holds, as components/function/relay.ts declares it. */
export async function createHoldsTable(dynamodb: DynamoDBClient, tableName: string) {
  await dynamodb.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "aggregateKey", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "aggregateKey", AttributeType: "S" }],
    }),
  );
}
