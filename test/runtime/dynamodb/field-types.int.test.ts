import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { beforeAll, expect, test } from "vitest";
import { storeOn } from "../../../runtime/dynamodb/store";
import { makeDynamoRelay } from "../../../runtime/relay/dynamodb-relay";
import {
  driveFieldTypes,
  type FieldStore,
  thingsOf,
  THING_EVENTS,
} from "../../support/domain/drive-field-types";
import { BANK_TABLES } from "../../support/dynamodb/bank-tables";
import { subscribersOf } from "../../support/dynamodb/field-subscribers";

const subscribers = subscribersOf();
let entity: string;
beforeAll(async () => {
  entity = (await subscribers.tables().createTable()).name;
});

const committed = driveFieldTypes(6, async (kind): Promise<FieldStore> => {
  const things = thingsOf(kind);
  const { documents } = subscribers.tables();
  const store = storeOn(documents, { ...BANK_TABLES, entities: { things: entity } }, {});
  return {
    handle: store.handles({ things })["things"] as FieldStore["handle"],
    commit: (staged) => store.commit([staged], { correlationId: "test" }),
  };
});

test(
  "and what was committed of all of them is relayed and projected as it was given",
  { timeout: 300_000 },
  async () => {
    const { dynamodb } = subscribers.tables();
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: BANK_TABLES.outbox }));
    const { start, projected } = await subscribers.open();
    expect(Table?.LatestStreamArn).toMatch(/stream/);
    await start(Table?.LatestStreamArn ?? "", "dynamodb", makeDynamoRelay(THING_EVENTS).callbackFactory());
    await projected(committed);
  },
);
