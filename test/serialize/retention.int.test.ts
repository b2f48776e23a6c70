import { expect, test, vi } from "vitest";
import { makeRetentionHandler, RETENTION_PACE } from "../../dist/runtime/retention/handler.js";
import { agedEvents, confirmCapture, countOlder } from "../support/postgres/aged-rows";
import { awsStub } from "../support/dynamodb/aws-stub";
import { bareFunction } from "../support/process/bare-node";
import { connect, freshDatabase } from "../support/postgres/postgres";

const aws = await awsStub();
const [retention, slowRetention] = await Promise.all([
  bareFunction(makeRetentionHandler()),
  bareFunction(makeRetentionHandler({ ...RETENTION_PACE, batchRows: 100, pauseMilliseconds: 600_000 })),
]);

async function deployed() {
  const database = await freshDatabase({ slot: true });
  const { user, password } = database.as("monolith_retention");
  aws.answer(() => ({ SecretString: JSON.stringify({ username: user, password }) }));
  const environment = {
    ...aws.environment,
    DATABASE_HOST: database.host,
    DATABASE_PORT: String(database.port),
    DATABASE_NAME: database.name,
    DATABASE_TLS: "disable",
    DATABASE_SECRET_ARN: "arn:secret",
    OUTBOX_RETENTION_DAYS: "30",
    INBOX_RETENTION_DAYS: "30",
  };
  return { database, superuser: await connect(database.url), environment };
}

test("The packaged retention, killed between two batches, leaves whole batches behind, and the next run goes on", async () => {
  const { database, superuser, environment } = await deployed();
  await agedEvents(superuser, 450, 31);
  await agedEvents(superuser, 50, 29);
  await confirmCapture(superuser, database);
  const oneBatchIsGone = vi.waitUntil(async () => (await countOlder(superuser, "outbox", 0)) < 500, {
    timeout: 60_000,
  });
  await slowRetention.invokeAndKill(environment, {}, oneBatchIsGone);
  expect(await countOlder(superuser, "outbox", 0)).toBe(400);
  const { results, log } = await retention.invoke(environment, {});
  expect(results).toEqual([{ outbox: 350, inbox: 0, finished: true }]);
  expect(log).toContainEqual(expect.objectContaining({ message: "Old rows removed", outbox: 350 }));
  expect(await countOlder(superuser, "outbox", 0)).toBe(50);
});

test("The packaged retention without a variable says at its cold start which one is missing", async () => {
  await expect(retention.invoke(aws.environment, {})).rejects.toThrow(
    'The environment variable "DATABASE_HOST" is not set. The component that declares this function sets it; deploy again.',
  );
});
