import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sideEffectOfStatement } from "../../dist/test/faults/crash-points/side-effects.js";
import { type PostgresProxy, startPostgresProxy } from "../../dist/test/faults/proxies/postgres-proxy.js";
import { makeCommandHandler } from "../../dist/runtime/command/handler.js";
import { command, table, withKysely } from "../../dist/runtime/index.js";
import { postgresStore } from "../../dist/runtime/postgres/store.js";
import { Member } from "../../dist/test/fixtures/domains/members/contract.js";
import { awsStub } from "../support/dynamodb/aws-stub";
import { bareFunction } from "../support/process/bare-node";
import { connect, freshDatabase } from "../support/postgres/postgres";

const members = table(Member);
/** Two changes of one member. */
const joinElsewhere = command({
  uses: { members: withKysely(members) },
  input: Member.state,
  handle: async (member, { members }) => [
    members.create(member).raise("MemberJoined"),
    members
      .change((table) => table.update({ city: "Turin" }).where("memberId", "=", member.memberId))
      .raise("MemberMoved", { from: member.city, to: "Turin" }),
  ],
});

const PRELOAD = require.resolve("../../dist/test/faults/proxies/function-preload.js");
const aws = await awsStub();
const commands = await bareFunction(makeCommandHandler("members", { joinElsewhere }, postgresStore()));
const database = await freshDatabase();
const superuser = await connect(database.url);
/** Function name -> its statements so far, and where its process is killed. */
const processes = new Map<string, { statements: string[]; killed?: { before?: number; after?: number } }>();
let proxy: PostgresProxy;

beforeAll(async () => {
  const { user, password } = database.as("monolith_application");
  aws.answer(() => ({ SecretString: JSON.stringify({ username: user, password }) }));
  proxy = await startPostgresProxy({
    host: database.host,
    port: database.port,
    decide({ functionName }, text) {
      const { statements = [], killed } = processes.get(functionName) ?? {};
      const number = statements.push(sideEffectOfStatement(text));
      if (killed?.before === number) return Promise.resolve({ do: "kill before" });
      return Promise.resolve(killed?.after === number ? { do: "kill after" } : undefined);
    },
  });
});
afterAll(() => proxy.stop());

/** Sends a request to a new process, which may be killed. */
function run(request: Request, killed?: { before?: number; after?: number }) {
  const name = `run-${processes.size}`;
  const statements: string[] = [];
  processes.set(name, { statements, ...(killed && { killed }) });
  const environment = {
    ...aws.environment,
    AWS_LAMBDA_FUNCTION_NAME: name,
    NODE_OPTIONS: `--require "${PRELOAD}"`,
    DATABASE_HOST: "127.0.0.1",
    DATABASE_PORT: String(proxy.port),
    DATABASE_NAME: database.name,
    DATABASE_TLS: "disable",
    DATABASE_SECRET_ARN: "arn:secret",
    PROJECTION_TABLES: "{}",
  };
  const invoked = commands.invoke(environment, { command: "joinElsewhere", ...request });
  return { statements, invoked };
}
type Request = ReturnType<typeof newRequest>;
const newRequest = () => ({
  id: randomUUID(),
  input: { memberId: randomUUID(), name: "Ada", email: "ada@example.com", city: "Lyon", lent: 0 },
});

/** What is there of a request: the member's version, how many events, and how many records in the inbox. */
async function left({ id, input }: Request): Promise<unknown> {
  const { rows } = await superuser.query(
    `select (select version from members where member_id = $1),
            (select count(*)::integer from outbox where aggregate_id = $1::text) as events,
            (select count(*)::integer from inbox where message_id = $2) as records`,
    [input.memberId, id],
  );
  return rows[0];
}
const NOTHING = { version: null, events: 0, records: 0 };
const ALL = { version: 2, events: 2, records: 1 };

test("a transaction whose process is killed between any two of its statements leaves nothing, and after its commit all", async () => {
  const whole = run(newRequest());
  await whole.invoked;
  const { statements } = whole;
  expect(statements).toEqual([
    // The tables that it uses are compared with the database.
    "select pg_attribute",
    "begin",
    "insert into members, with its event",
    "update members, with its event",
    "insert into inbox",
    "commit",
  ]);
  const last = statements.length;
  const points = [...statements.map((_, index) => ({ before: index + 1 })), { after: last }];
  await Promise.all(
    points.map(async (killed) => {
      const request = newRequest();
      const { invoked } = run(request, killed);
      await expect(invoked, JSON.stringify(killed)).rejects.toMatchObject({ signal: "SIGKILL" });
      expect(await left(request), JSON.stringify(killed)).toEqual("after" in killed ? ALL : NOTHING);

      const { results } = await run(request).invoked;
      expect(results).toEqual([expect.objectContaining({ outcome: "done" })]);
      expect(await left(request), JSON.stringify(killed)).toEqual(ALL);
    }),
  );
});
