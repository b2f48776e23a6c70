import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { mockClient } from "aws-sdk-client-mock";
import { expect, test } from "vitest";
import {
  renewingRefusedSession,
  roleCredentials,
} from "../../../dist/local/event-sources/emulator-connection.js";

const ROLE = "arn:aws:iam::000000000000:role/relay";

/** A client of the role, whose sessions are valid for so long, and how often the role was assumed. */
function clientOf(validMilliseconds: number, functionName = "relay") {
  const sts = new STSClient({ region: "us-east-1" });
  const mock = mockClient(sts);
  mock.on(AssumeRoleCommand).callsFake(() => ({
    Credentials: {
      AccessKeyId: "ASIA",
      SecretAccessKey: "secret",
      SessionToken: "token",
      Expiration: new Date(Date.now() + validMilliseconds),
    },
  }));
  const client = new SQSClient({
    region: "us-east-1",
    credentials: roleCredentials(sts, ROLE, functionName),
  });
  return { client, mock };
}

test("the role is assumed in the function's name, once for many calls", async () => {
  const { client, mock } = clientOf(3_600_000, "f".repeat(80));
  await client.config.credentials();
  expect(await client.config.credentials()).toMatchObject({ accessKeyId: "ASIA", sessionToken: "token" });
  expect(mock.calls().map(({ args }) => args[0].input)).toEqual([
    { RoleArn: ROLE, RoleSessionName: "f".repeat(64) },
  ]);
});

test("a session is renewed before it expires", async () => {
  const { client, mock } = clientOf(60_000);
  await client.config.credentials();
  await client.config.credentials();
  expect(mock.calls().length).toBeGreaterThan(1);
});

test("a session that is refused is replaced, and other errors leave it as it is", async () => {
  const { client, mock } = clientOf(3_600_000);
  let failure = "AccessDenied";
  renewingRefusedSession(client);
  client.middlewareStack.add(() => () => Promise.reject(Object.assign(new Error("no"), { name: failure })), {
    step: "build",
  });
  await client.config.credentials();
  await expect(client.send(new ListQueuesCommand({}))).rejects.toThrow("no");
  expect(mock.calls()).toHaveLength(1);
  failure = "InvalidClientTokenId";
  await expect(client.send(new ListQueuesCommand({}))).rejects.toThrow("no");
  expect(mock.calls()).toHaveLength(2);
});

test("an answer without credentials is an error with a code", async () => {
  const sts = new STSClient({ region: "us-east-1" });
  mockClient(sts).on(AssumeRoleCommand).resolves({});
  await expect(roleCredentials(sts, ROLE, "relay")()).rejects.toMatchObject({
    code: "ROLE_SESSION_INCOMPLETE",
  });
});
