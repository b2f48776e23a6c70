/** A relay's table of holds in memory. It evaluates the conditions of runtime/relay/holds.ts. */
import {
  type BatchGetItemCommandInput,
  DynamoDBClient,
  type PutItemCommandInput,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import type { HoldsTable } from "../../../runtime/relay/holds";

/** The name of the table. */
export const HOLDS_TABLE = "holds-1";

/** The holds of a test file. */
export interface FakeHolds {
  /** For relays that are called without a handler. */
  table: HoldsTable;
  /** Aggregate key -> the version that is next. */
  next(): Record<string, number>;
  /** Empties the table and ends all failures. */
  clear(): void;
  /** Makes calls fail whose command this names. @default none */
  failing(isFailing: (command: string) => boolean): void;
}

interface Hold {
  next: number;
  expiresAt: number;
}

/** Answers every DynamoDB client of this process from memory. Call it outside of tests. */
export function fakeHolds(): FakeHolds {
  const holds = new Map<string, Hold>();
  let isFailing: (command: string) => boolean = () => false;
  const answers: Record<string, (input: never) => object> = {
    BatchGetItemCommand: ({ RequestItems }: BatchGetItemCommandInput) => {
      const keys = RequestItems?.[HOLDS_TABLE]?.Keys ?? [];
      if (keys.length > 100 || new Set(keys.map((key) => key["aggregateKey"]?.S)).size < keys.length) {
        throw awsFailure("ValidationException");
      }
      const found = keys.flatMap(({ aggregateKey }) => {
        const held = holds.get(aggregateKey?.S ?? "");
        if (!held) return [];
        return [{ aggregateKey, next: { N: String(held.next) }, expiresAt: { N: String(held.expiresAt) } }];
      });
      return { Responses: { [HOLDS_TABLE]: found } };
    },
    PutItemCommand: ({ Item, ExpressionAttributeValues: values }: PutItemCommandInput) => {
      const key = Item?.["aggregateKey"]?.S ?? "";
      const held = holds.get(key);
      const isHeldEarlier = held && held.next <= Number(values?.[":version"]?.N);
      if (isHeldEarlier && held.expiresAt > Number(values?.[":now"]?.N)) {
        throw awsFailure("ConditionalCheckFailedException");
      }
      holds.set(key, { next: Number(Item?.["next"]?.N), expiresAt: Number(Item?.["expiresAt"]?.N) });
      return {};
    },
    UpdateItemCommand: ({ Key, ExpressionAttributeValues: values }: UpdateItemCommandInput) => {
      const key = Key?.["aggregateKey"]?.S ?? "";
      const held = holds.get(key);
      if (held?.next !== Number(values?.[":from"]?.N)) throw awsFailure("ConditionalCheckFailedException");
      holds.set(key, { ...held, next: Number(values?.[":to"]?.N) });
      return {};
    },
  };
  const mock = mockClient(DynamoDBClient);
  const answer = async (command: { constructor: { name: string }; input: never }) => {
    const { name } = command.constructor;
    if (isFailing(name)) throw awsFailure("InternalServerError");
    const by = answers[name];
    if (!by) throw new Error(`The relay sent ${name}, which the fake does not know.`);
    return by(command.input);
  };
  mock.send.callsFake(answer as never);
  return {
    table: { client: new DynamoDBClient({ region: "us-east-1" }), tableName: HOLDS_TABLE },
    next: () => Object.fromEntries([...holds].map(([key, { next }]) => [key, next])),
    clear() {
      holds.clear();
      isFailing = () => false;
    },
    failing(fails) {
      isFailing = fails;
    },
  };
}

function awsFailure(name: string): Error {
  return Object.assign(new Error(name), { name });
}
