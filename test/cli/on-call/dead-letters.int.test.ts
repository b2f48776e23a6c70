import { DeleteMessageCommand } from "@aws-sdk/client-sqs";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { listDeadLetters, redriveDeadLetters } from "../../../dist/cli/on-call/dead-letters.js";
import type { RunningSystem } from "../../../dist/cli/running-system.js";
import type { FaultPlan } from "../../../dist/local/event-sources/fault-plan.js";
import type { InvokeFunction } from "../../../dist/local/event-sources/invoke-function.js";
import { emulatorClients } from "../../../dist/local/provision/emulator-clients.js";
import type { OutboxRecord } from "../../../runtime/envelope/cloud-event";
import { project } from "../../../runtime/define/project";
import { makeProjectionHandler } from "../../../runtime/projection/handler";
import { react } from "../../../runtime/define/react";
import { makeReactionHandler } from "../../../runtime/reaction/handler";
import { dynamoStore } from "../../../runtime/dynamodb/store";
import { readEnvironment } from "../../../runtime/function/handler";
import { emulatorFixture } from "../../local/event-sources/emulator-fixture";
import { inProcess } from "../../local/event-sources/in-process";
import { Account, accounts } from "../../support/domain/account";
import {
  BANK_TABLES,
  type BankTables,
  createBankTables,
  PROJECTION_TABLE,
} from "../../support/dynamodb/bank-tables";
import { capturedLog } from "../../support/process/captured-log";
import { bridgeEvent, cloudEvent } from "../../support/domain/domain-events";

const READ = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
const MAX_RECEIVES = 2;

capturedLog();
let fixture: Awaited<ReturnType<typeof emulatorFixture>>;
let bank: BankTables;
let clients: RunningSystem["clients"];
beforeAll(async () => {
  fixture = await emulatorFixture();
  bank = await createBankTables(fixture);
  clients = emulatorClients(fixture.endpoint, fixture.region);
  vi.stubEnv("PROJECTION_TABLES", JSON.stringify({ accounts: PROJECTION_TABLE }));
  vi.stubEnv("ENTITY_TABLES", JSON.stringify(BANK_TABLES.entities));
  vi.stubEnv("OUTBOX_TABLE", BANK_TABLES.outbox);
  vi.stubEnv("INBOX_TABLE", BANK_TABLES.inbox);
  vi.stubEnv("OUTBOX_RETENTION_DAYS", "7");
  vi.stubEnv("INBOX_RETENTION_DAYS", "30");
});
afterAll(async () => {
  clients.close();
  bank.documents.destroy();
  await fixture.close();
});

/** A subscription with its queues, whose function runs for the length of the test. */
async function subscription(invoke: InvokeFunction, faults: FaultPlan = {}) {
  const [deadLetters, targetDeadLetters] = await Promise.all([fixture.createQueue(), fixture.createQueue()]);
  const queue = await fixture.createQueue({
    VisibilityTimeout: "1",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: MAX_RECEIVES }),
  });
  const functionName = await fixture.createFunction("async () => ({})");
  await fixture.allow(functionName, READ, queue.arn);
  const answers = { functionResponseTypes: ["ReportBatchItemFailures"] };
  const mapping = { eventSourceArn: queue.arn, functionName, ...answers };
  const source = await fixture.start(mapping, { invoke, faults, pace: { longPollSeconds: 0 } });
  const urls = { queue: queue.url, deadLetters: deadLetters.url, targetDeadLetters: targetDeadLetters.url };
  const system: RunningSystem = {
    clients,
    commandFunctions: {},
    projectionTables: {},
    queues: { shop: { accounts: urls } },
    quarantineQueues: {},
    unclaimedQueue: "",
    holdsTables: {},
  };
  const of = { domain: "shop", subscription: "accounts" };
  return {
    source,
    system,
    of,
    queue,
    targetDeadLetters,
    /** Puts events on the queue, as a rule delivers them, and waits until they are done with. */
    async deliver(...events: ReturnType<typeof cloudEvent>[]) {
      await queue.send(...events.map((event) => JSON.stringify(bridgeEvent(event))));
      await source.waitUntilDrained();
    },
    list: () => listDeadLetters(system, of),
    async redrive() {
      const moved = await redriveDeadLetters(system, of);
      await source.waitUntilDrained();
      return moved;
    },
  };
}

const event = (
  aggregateId: string,
  aggregateVersion: number,
  state: object,
  overrides: Partial<OutboxRecord> = {},
) => cloudEvent({ aggregateId, aggregateVersion, data: { change: {}, state }, ...overrides });

/** A projection that cannot read an owner without a name, until it is mended. */
function projecting() {
  const bug = { mended: false };
  const owners = project(Account, ({ owner }) => {
    if (!owner && !bug.mended) throw new Error("An owner has a name.");
    return { owner: owner || "nobody" };
  });
  return { bug, invoke: inProcess(makeProjectionHandler("accounts", owners).callbackFactory()) };
}

const projected = async (...ids: string[]) =>
  (await bank.items(PROJECTION_TABLE))
    .filter((item) => ids.includes(String(item["aggregateId"])))
    .sort((a, b) => ids.indexOf(String(a["aggregateId"])) - ids.indexOf(String(b["aggregateId"])))
    .map(({ version, fields }) => ({ version, fields }));

test("An event that keeps failing goes to the dead-letter queue, and neither other aggregates nor later events of its own wait for it", async () => {
  const { bug, invoke } = projecting();
  const { source, deliver, list, redrive } = await subscription(invoke);
  const [broken, last, other] = [uuid(), uuid(), uuid()];
  const poison = event(broken, 2, { owner: "" });
  await deliver(event(broken, 1, { owner: "Ada" }), event(other, 1, { owner: "Bob" }));
  await deliver(poison, event(last, 1, { owner: "" }), event(other, 2, { owner: "Bert" }));
  expect(await projected(broken, last, other)).toEqual([
    { version: 1, fields: { owner: "Ada" } },
    { version: 2, fields: { owner: "Bert" } },
  ]);
  expect(source.recordsOf("failed")).toHaveLength(2 * MAX_RECEIVES);
  const letters = await list();
  expect(letters.map(({ event }) => event?.aggregateId).sort()).toEqual([broken, last].sort());
  expect(letters.filter(({ event }) => event?.aggregateId === broken)).toEqual([
    {
      messageId: expect.any(String) as string,
      why: "refused",
      sentAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      event: { id: poison.id, type: poison.type, source: "bank", aggregateId: broken, version: 2 },
    },
  ]);

  await deliver(event(broken, 3, { owner: "Alan" }));
  expect(await projected(broken)).toEqual([{ version: 3, fields: { owner: "Alan" } }]);

  bug.mended = true;
  expect(await redrive()).toEqual({ refused: 2, undelivered: 0 });
  expect(await list()).toEqual([]);
  // The gate by version: of what was redriven, one is older than what is there, the other is the newest.
  expect(await projected(broken, last)).toEqual([
    { version: 3, fields: { owner: "Alan" } },
    { version: 1, fields: { owner: "nobody" } },
  ]);
});

test("An event that EventBridge could not deliver is listed and redriven with the others, and what is no event is told", async () => {
  const { invoke } = projecting();
  const { system, of, source, targetDeadLetters, list } = await subscription(invoke);
  const id = uuid();
  const undelivered = event(id, 1, { owner: "Ada" });
  await targetDeadLetters.send(JSON.stringify(bridgeEvent(undelivered)), "hello");
  expect((await list()).map(({ why, event, unreadable }) => [why, event?.id ?? unreadable])).toEqual([
    ["undelivered", undelivered.id],
    ["undelivered", expect.stringMatching(/^EVENT_MALFORMED: /) as string],
  ]);
  expect(await redriveDeadLetters(system, of)).toEqual({ refused: 0, undelivered: 2 });
  await source.waitUntilDrained();
  expect(await projected(id)).toEqual([{ version: 1, fields: { owner: "Ada" } }]);
  // What is no event is refused by the function, too.
  expect(await list()).toMatchObject([{ why: "refused", unreadable: expect.any(String) as string }]);
});

test("What was sent and not deleted from the dead-letter queue is sent again and changes nothing", async () => {
  const { bug, invoke } = projecting();
  const { system, of, deliver, list, redrive, source } = await subscription(invoke);
  const id = uuid();
  await deliver(event(id, 1, { owner: "" }));
  bug.mended = true;
  const dying = emulatorClients(fixture.endpoint, fixture.region);
  dying.sqs.middlewareStack.add((next, context) => (args) => {
    if (context["commandName"] === DeleteMessageCommand.name) throw new Error("Killed");
    return next(args);
  });
  await expect(redriveDeadLetters({ ...system, clients: dying }, of)).rejects.toThrow("Killed");
  dying.close();
  await source.waitUntilDrained();
  expect(await projected(id)).toMatchObject([{ version: 1 }]);
  expect(await list()).toHaveLength(1);
  expect(await redrive()).toEqual({ refused: 1, undelivered: 0 });
  expect(await projected(id)).toMatchObject([{ version: 1 }]);
});

/** A reaction that credits its account, and cannot do with some amount, until it is mended. */
function crediting() {
  const bug = { amount: 0 };
  const reactions = react(Account, {
    uses: { accounts },
    on: {
      AccountCredited: async ({ aggregateId, change: { amount } }, { accounts }) => {
        if (amount === bug.amount) throw new Error("Not this amount.");
        const account = await accounts.find(aggregateId);
        if (!account) return [];
        return accounts
          .update(account, { balance: account.balance + amount })
          .raise("AccountCredited", { amount });
      },
    },
  });
  const handler = makeReactionHandler("shop.accounts", reactions, dynamoStore);
  return { bug, invoke: inProcess(handler.callbackFactory()) };
}

/** An account that lives, and the events that credit it. */
async function account() {
  const id = uuid();
  const store = dynamoStore.open(readEnvironment(dynamoStore.variables));
  const item = { accountId: id, owner: "Ada", balance: 0, grade: "standard" };
  await store.commit([bank.accounts.create(item).raise("AccountOpened")], { correlationId: "test" });
  return {
    credit: (amount: number, version: number) =>
      event(id, version, {}, { type: "AccountCredited", data: { change: { amount }, state: {} } }),
    balance: async () => (await bank.accounts.find(id))?.balance,
    credits: async () => (await bank.events(id)).length - 1,
  };
}

test("A reaction from the dead-letter queue takes effect once when it is redriven, however often, and later ones have not waited for it", async () => {
  const { bug, invoke } = crediting();
  const { deliver, list, redrive, queue, source } = await subscription(invoke);
  const [ada, bob] = [await account(), await account()];
  bug.amount = 5;
  const poison = ada.credit(5, 2);
  await deliver(poison, ada.credit(7, 3), bob.credit(3, 2));
  expect([await ada.balance(), await bob.balance()]).toEqual([7, 3]);
  expect((await list()).map(({ event }) => event?.id)).toEqual([poison.id]);
  bug.amount = 0;
  expect(await redrive()).toEqual({ refused: 1, undelivered: 0 });
  expect(await ada.balance()).toBe(12);
  await queue.send(JSON.stringify(bridgeEvent(poison)), JSON.stringify(bridgeEvent(poison)));
  await source.waitUntilDrained();
  expect([await ada.balance(), await ada.credits()]).toEqual([12, 2]);
});

test("A reaction that took effect although its answers were lost is not repeated when its message is redriven", async () => {
  const { invoke } = crediting();
  const network = { loses: true };
  const { deliver, list, redrive, source } = await subscription(invoke, {
    afterInvoke: () => Promise.resolve(network.loses ? "lose" : undefined),
  });
  const ada = await account();
  await deliver(ada.credit(5, 2));
  expect([await ada.balance(), source.recordsOf("succeeded").length]).toEqual([5, 0]);
  expect(await list()).toHaveLength(1);
  network.loses = false;
  expect(await redrive()).toEqual({ refused: 1, undelivered: 0 });
  expect([await ada.balance(), await ada.credits()]).toEqual([5, 1]);
  expect(await list()).toEqual([]);
});

test("An unknown subscription is reported with the known ones, and nothing is moved", async () => {
  const { system } = await subscription(projecting().invoke);
  const other = { domain: "shop", subscription: "nothing" };
  await expect(redriveDeadLetters(system, other)).rejects.toMatchObject({
    code: "NAME_UNKNOWN",
    message: 'There is no subscription of "shop" "nothing". There are: accounts.',
  });
  await expect(listDeadLetters(system, { ...other, domain: "elsewhere" })).rejects.toMatchObject({
    code: "NAME_UNKNOWN",
  });
});
