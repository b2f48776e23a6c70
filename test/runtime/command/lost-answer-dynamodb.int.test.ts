import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { storeOn } from "../../../runtime/dynamodb/store";
import { changesOf, sender } from "../../conformance/repeated-requests";
import { BANK_TABLES, bankTables } from "../../support/dynamodb/bank-tables";
import { type Break, type BreakingProxy, breakingProxy } from "../../support/postgres/breaking-proxy";

const bank = bankTables();
describe("an answer of DynamoDB that is lost", () => {
  let proxy: BreakingProxy;
  /** As a function has it, by way of the proxy. */
  let tryingAgain: DynamoDBDocumentClient;
  /** Without the SDK's own further tries. */
  let tryingOnce: DynamoDBDocumentClient;
  beforeAll(async () => {
    const { hostname: host, port } = new URL(process.env["AWS_ENDPOINT_URL"] ?? "");
    proxy = await breakingProxy({ host, port: Number(port) });
    const endpoint = `http://${proxy.host}:${proxy.port}`;
    tryingAgain = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint }));
    tryingOnce = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, maxAttempts: 1 }));
  });
  beforeEach(() => {
    // Short pauses between tries.
    vi.spyOn(Math, "random").mockReturnValue(0.01);
  });
  afterAll(() => {
    tryingAgain.destroy();
    tryingOnce.destroy();
  });
  const losing = (times: number, when: Break = "after") => {
    for (let left = times; left > 0; left -= 1) proxy.breakAt("TransactWriteItems", when);
  };
  const by = (documents: () => DynamoDBDocumentClient) => {
    const store = storeOn(documents(), BANK_TABLES, {});
    return sender(() => store);
  };

  test.each([
    ["before it was asked", "by the SDK's own further try", "before", () => tryingAgain, 1],
    ["after it was done", "by the SDK's own further try", "after", () => tryingAgain, 1],
    ["after it was done", "when the SDK has given up", "after", () => tryingOnce, 3],
  ] as const)("%s is known %s: done, once", async (_, __, when, documents, times) => {
    const send = by(documents);
    const [accountId, other] = [uuid(), uuid()];
    const before = proxy.broken();
    losing(times, when);
    expect(changesOf(await send("open", { accountId }))).toMatchObject([{ id: accountId, version: 1 }]);
    expect(proxy.broken()).toBe(before + times);
    losing(times, when);
    const id = uuid();
    const first = await send("open", { accountId: other }, id);
    expect(first).toEqual({
      outcome: "done",
      id,
      changes: [expect.objectContaining({ id: other, version: 1 })],
    });
    expect(await send("open", { accountId: other }, id)).toEqual({ ...first, repeated: true });
    for (const one of [accountId, other]) expect(await bank.events(one)).toHaveLength(1);
  });

  test("at every try is answered as unknown, and known under the same id later", async () => {
    const send = by(() => tryingOnce);
    const [accountId, id] = [uuid(), uuid()];
    proxy.breakAt("TransactWriteItems", "after", true);
    try {
      expect(await send("open", { accountId }, id)).toMatchObject({
        outcome: "unknown",
        id,
        message: expect.stringContaining(`with the id "${id}"`) as string,
      });
    } finally {
      proxy.restore();
    }
    expect(changesOf(await send("open", { accountId }, id))).toMatchObject([{ id: accountId, version: 1 }]);
    expect(await bank.events(accountId)).toHaveLength(1);
  });
});
