import { createServer, type AddressInfo, connect, type Socket } from "node:net";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Context } from "aws-lambda";
import { mockClient } from "aws-sdk-client-mock";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { react } from "../../../runtime";
import { postgresStore } from "../../../runtime/postgres/store";
import { makeReactionHandler } from "../../../runtime/reaction/handler";
import { Account, accountChanges, accounts } from "../../support/domain/account";
import { cloudEvent, queueBatch } from "../../support/domain/domain-events";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";
import { connect as connectTo } from "../../support/postgres/postgres";
import { capturedLog } from "../../support/process/captured-log";

const secrets = mockClient(SecretsManagerClient);
const log = capturedLog();
let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
});
beforeEach(() => {
  const { user, password } = bank.database.as("monolith_application");
  const SecretString = JSON.stringify({ username: user, password });
  secrets.on(GetSecretValueCommand).resolves({ SecretString });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("DATABASE_NAME", bank.database.name);
  vi.stubEnv("DATABASE_TLS", "disable");
  vi.stubEnv("DATABASE_SECRET_ARN", "arn:secret");
  vi.stubEnv("PROJECTION_TABLES", "{}");
  at(bank.database);
});

function at({ host, port }: { host: string; port: number }) {
  vi.stubEnv("DATABASE_HOST", host);
  vi.stubEnv("DATABASE_PORT", String(port));
}

/** Each event credits the account that its `reason` names: "orders" that take from a "product". */
const reactions = react(Account, {
  uses: { accounts },
  on: {
    AccountClosed: async ({ change }, { accounts: table }) =>
      accountChanges(() => table).crediting(await table.get(change.reason)),
  },
});
const order = (product: string) =>
  cloudEvent({
    type: "AccountClosed",
    aggregateVersion: 2,
    data: { change: { reason: product }, state: null },
  });

/** A function that times out after this; it must have answered by then. */
function invoking(seconds: number) {
  const handle = makeReactionHandler("shop.orders", reactions, postgresStore()).callbackFactory();
  return async (bodies: Parameters<typeof queueBatch>[0]) => {
    const end = Date.now() + seconds * 1_000;
    const context = { getRemainingTimeInMillis: () => end - Date.now() } as Context;
    const { batchItemFailures } = await handle(queueBatch(bodies), context);
    expect(Date.now()).toBeLessThan(end);
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
}

async function product(): Promise<string> {
  const id = uuid();
  await bank.store.commit([accountChanges(() => bank.accounts as never).opening(id)], { correlationId: "r" });
  return id;
}
const sold = async (id: string) => (await bank.account(id))?.["balance"];

/** Locks a product's row until it is released. */
async function lock(id: string) {
  const holder = await connectTo(bank.database.url);
  await holder.query("begin");
  await holder.query("select from accounts where account_id = $1 for update", [id]);
  return () => holder.query("rollback");
}

describe("of twelve orders, ten of one product whose row is locked,", () => {
  test("the two others take effect at their first delivery, and the ten are given back before the function times out", async () => {
    const [locked, free] = [await product(), await product()];
    const release = await lock(locked);
    const orders = Array.from({ length: 12 }, (_, index) =>
      order(index === 4 || index === 11 ? free : locked),
    );
    const invoke = invoking(13);
    // As the queue delivers them: ten and two.
    const first = await invoke(orders.slice(0, 10));
    const second = await invoke(orders.slice(10));
    expect(first).toEqual(["m1", "m2", "m3", "m4", "m6", "m7", "m8", "m9", "m10"]);
    expect(second).toEqual(["m1"]);
    expect(await sold(free)).toBe(2);
    await release();
    // Delivered again, each takes effect once: also those that were given up while they waited.
    expect(await invoke(orders)).toEqual([]);
    expect(await sold(locked)).toBe(10);
    expect(await sold(free)).toBe(2);
  }, 60_000);
});

test("A batch for which there is no time goes back untouched", async () => {
  const free = await product();
  const invoke = invoking(3.4);
  await expect(invoke([order(free), order(free)])).resolves.toEqual(["m1", "m2"]);
  expect(await sold(free)).toBe(0);
  expect(log).toContainEqual(expect.objectContaining({ level: "warn", untouched: 2 }));
});

describe("a connection that is silently dead", () => {
  let proxy: Awaited<ReturnType<typeof stallingProxy>>;
  beforeAll(async () => {
    proxy = await stallingProxy(bank.database);
  });
  afterAll(() => proxy.close());

  test("costs the message that met it its share of the time, and the next ones get another", async () => {
    at(proxy);
    const free = await product();
    const invoke = invoking(12);
    expect(await invoke([order(free)])).toEqual([]);
    proxy.stall();
    onTestFinished(() => proxy.close());
    const failed = await invoke([order(free), order(free), order(free)]);
    expect(failed.length).toBeLessThanOrEqual(1);
    expect(await sold(free)).toBe(4 - failed.length);
    expect(await invoke([order(free)])).toEqual([]);
  }, 40_000);
});

/** A proxy whose open connections can fall silent, as after a failover; new ones work. */
async function stallingProxy(upstream: { host: string; port: number }) {
  const pairs = new Set<{ client: Socket; target: Socket; silent: boolean }>();
  const server = createServer((client) => {
    const pair = { client, target: connect(upstream.port, upstream.host), silent: false };
    pairs.add(pair);
    for (const socket of [pair.client, pair.target]) socket.on("error", () => undefined);
    client.on("data", (chunk) => void (pair.silent || pair.target.write(chunk)));
    pair.target.on("data", (chunk) => void (pair.silent || client.write(chunk)));
    client.on("close", () => pair.target.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    stall: () => pairs.forEach((pair) => (pair.silent = true)),
    close() {
      pairs.forEach(({ client, target }) => [client, target].forEach((socket) => socket.destroy()));
      server.close();
    },
  };
}
