import type { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { withoutOutboxCheck } from "../../../support/postgres/aged-rows.js";
import { connect, freshDatabase } from "../../../support/postgres/postgres.js";
import { rawMember, registeredMember, transaction, UNTRUE } from "./guarded-member.js";

let superuser: Client;
let client: Client;

beforeAll(async () => {
  const database = await freshDatabase();
  superuser = await connect(database.url);
  client = await connect(database.as("monolith_application").url);
});

const registered = () => registeredMember(client, superuser);
const state = (id: string, more: object = {}) => ({
  ...{ memberId: id, name: "Ada", email: "ada@example.org", city: "Paris", lent: 0 },
  ...more,
});
/** The outbox row of a changed member (London -> Paris, version 2), with something else in it. */
async function changedWith(columns: {
  type?: string;
  schema?: number;
  state?: unknown;
  aggregate?: string;
  aggregateId?: string;
  version?: number;
}): Promise<void> {
  const member = await registered();
  const payload = { change: {}, state: "state" in columns ? columns.state : state(member.id) };
  await transaction(client, async () => {
    await member.update();
    await client.query(
      `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
       values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, 'test')`,
      [
        columns.aggregate ?? "members.Member",
        columns.aggregateId ?? member.id,
        columns.version ?? 2,
        columns.type ?? "MemberMoved",
        columns.schema ?? 1,
        payload,
      ],
    );
  });
}

describe("an event without its change is refused", () => {
  test("by itself, at the version that the aggregate has, at the next and at a far one", async () => {
    const member = await registered();
    await member.forgetEvents();
    for (const version of [1, 2, 1000]) {
      await expect(member.event(version)).rejects.toMatchObject({
        ...UNTRUE,
        message: `Event "MemberMoved" of members.Member "${member.id}", version ${version} is refused: this transaction has not changed the aggregate`,
        hint: expect.stringContaining(
          `select raise_event('members.Member', '${member.id}', 'MemberMoved'`,
        ) as string,
      });
    }
  });

  test("beside an update that finds no row", async () => {
    const member = rawMember(client);
    const work = transaction(client, async () => (await member.update(), await member.event(2)));
    await expect(work).rejects.toMatchObject(UNTRUE);
  });

  test("of an aggregate that never was, whose id stays free", async () => {
    const member = rawMember(client);
    await expect(member.event(1)).rejects.toMatchObject(UNTRUE);
    await expect(member.event(1, '{"change": {}, "state": null}')).rejects.toMatchObject(UNTRUE);
    await transaction(client, async () => (await member.insert(), await member.event(1)));
  });

  test("of a removal that was before, or that is not", async () => {
    const member = await registered();
    const gone = '{"change": {}, "state": null}';
    await expect(
      transaction(client, async () => (await member.update(), await member.event(2, gone))),
    ).rejects.toMatchObject({
      ...UNTRUE,
      message: expect.stringContaining("table public.members has its row") as string,
    });
    await transaction(client, async () => (await member.delete(), await member.event(2)));
    await member.forgetEvents();
    for (const version of [2, 3]) await expect(member.event(version, gone)).rejects.toMatchObject(UNTRUE);
  });

  test("when a savepoint took the change back, and the event with it when it came after", async () => {
    const member = await registered();
    await expect(
      transaction(client, async () => {
        await client.query("savepoint s");
        await member.update();
        await client.query("rollback to s");
        await member.event(2);
      }),
    ).rejects.toMatchObject(UNTRUE);
    await transaction(client, async () => {
      await client.query("savepoint s");
      await member.update();
      await member.event(2);
      await client.query("rollback to s");
    });
    const { rows } = await client.query("select from outbox where aggregate_id = $1", [member.id]);
    expect(rows).toHaveLength(1);
  });

  test("in another order than the changes", async () => {
    const member = await registered();
    const work = transaction(client, async () => {
      await member.update();
      await member.update();
      await member.event(3);
      await member.event(2);
    });
    await expect(work).rejects.toMatchObject({
      ...UNTRUE,
      message: expect.stringContaining("version 2 is refused: the aggregate is at version 3") as string,
    });
  });

  test("whatever the session's settings, role and tables of its own are", async () => {
    const member = await registered();
    const lone = rawMember(superuser, { id: member.id });
    await superuser.query("set session_replication_role = replica");
    await expect(lone.event(2)).rejects.toMatchObject(UNTRUE);
    await superuser.query("reset session_replication_role");
    await client.query("create temp table members (like public.members including all)");
    await client.query("insert into pg_temp.members select * from public.members where member_id = $1", [
      member.id,
    ]);
    try {
      const work = transaction(client, async () => (await member.update(), await member.event(2)));
      await expect(work).rejects.toMatchObject(UNTRUE);
    } finally {
      await client.query("drop table pg_temp.members");
    }
  });
});

describe("an event that tells its change wrongly is refused", () => {
  test.each<[string, Parameters<typeof changedWith>[0], string]>([
    ["an unknown type", { type: "MemberTouched" }, "the contract of members.Member has no such event"],
    ["an unknown schema version", { schema: 2 }, "the contract of members.Member has no such event"],
    [
      "an aggregate that no table holds",
      { aggregate: "members.Membr" },
      "no guarded table holds members.Membr",
    ],
    ["a removal of a living row", { state: null }, "table public.members has its row"],
  ])("%s", async (_what, columns, message) => {
    await expect(changedWith(columns)).rejects.toMatchObject({
      ...UNTRUE,
      message: expect.stringContaining(message) as string,
    });
  });

  test.each<[string, object, string]>([
    ["another city than the row has", { city: "Oslo" }, "city"],
    ["a number as text", { lent: "0" }, "lent"],
    ["a private field", { note: "hidden" }, "note"],
    ["a field less", { email: undefined }, "email"],
    ["a null", { name: null }, "name"],
    ["the key in another spelling", { memberId: "ABCDEF" }, '"memberId"'],
  ])("a state with %s; the refusal names the field and no value", async (_what, more, field) => {
    const member = await registered();
    const work = transaction(client, async () => {
      await member.update();
      await member.event(2, JSON.stringify({ change: {}, state: state(member.id, more) }));
    });
    await expect(work).rejects.toMatchObject({
      ...UNTRUE,
      message: expect.stringMatching(new RegExp(`by the contract; different: ${field}$`)) as string,
    });
  });

  test("the contract that was registered before is valid until the next one", async () => {
    const { rows } = await superuser.query<{ events: object; state_sql: string }>(
      "select events, state_sql from registered_contracts where aggregate = 'members.Member' and is_current",
    );
    const [before] = rows;
    const register = async (events: object, stateSql: string) => {
      await superuser.query("select register_contract('members.Member', $1, $2)", [
        JSON.stringify(events),
        stateSql,
      ]);
      await superuser.query("select generate_outbox_check()");
    };
    try {
      await register({ MemberMoved: 1 }, "jsonb_build_object('memberId', entity.member_id)");
      const member = await registered();
      await transaction(client, async () => (await member.update(), await member.event(2)));
      const short = JSON.stringify({ change: {}, state: { memberId: member.id } });
      await transaction(client, async () => (await member.update(), await member.event(3, short)));
      await register({ MemberMoved: 1 }, "jsonb_build_object('id', entity.member_id)");
      const work = transaction(client, async () => (await member.update(), await member.event(4)));
      await expect(work).rejects.toMatchObject(UNTRUE);
    } finally {
      await register(before?.events ?? {}, before?.state_sql ?? "");
    }
  });
});

describe("raise_event", () => {
  const raise = (id: string, type = "MemberMoved", change = "{}") =>
    client.query("select raise_event('members.Member', $1, $2, $3)", [id, type, change]);

  test("takes version and state from the row, for changes, removals and new lives", async () => {
    const member = rawMember(client);
    const steps = [
      () => member.insert(),
      () => member.update(),
      () => member.delete(),
      () => member.insert(4),
    ];
    for (const step of steps) await transaction(client, async () => (await step(), await raise(member.id)));
    const { rows } = await client.query<{ version: number; state: unknown; correlation_id: string }>(
      "select aggregate_version as version, payload -> 'state' as state, correlation_id from outbox where aggregate_id = $1 order by 1",
      [member.id],
    );
    const inLondon = state(member.id, { city: "London" });
    expect(rows.map((row) => row.state)).toEqual([inLondon, state(member.id), null, inLondon]);
    expect(rows.map((row) => row.version)).toEqual([1, 2, 3, 4]);
    expect(rows[0]?.correlation_id).toMatch(/^sql:/);
  });

  test.each([
    ["of another type", "MemberTouched", "{}", 'has no event "MemberTouched"'],
    ["whose change is no object", "MemberMoved", "[]", 'The change of "MemberMoved" is no JSON object'],
  ])("refuses an event %s", async (_what, type, change, message) => {
    const member = await registered();
    await expect(raise(member.id, type, change)).rejects.toMatchObject({
      ...UNTRUE,
      message: expect.stringContaining(message) as string,
      hint: expect.any(String) as string,
    });
  });

  test("refuses an aggregate without a change, or without a row", async () => {
    const member = await registered();
    await expect(raise(member.id)).rejects.toThrow();
    await expect(raise("00000000-0000-4000-8000-000000000000")).rejects.toMatchObject({
      message: expect.stringContaining("There is no members.Member") as string,
    });
  });
});

/** As docs/operations.md says it, "An event without its change". */
describe("an aggregate that an event without a change has blocked goes on", () => {
  const raise = (id: string, type: string) =>
    superuser.query("select raise_event('members.Member', $1, $2, '{}', 'repair')", [id, type]);
  const versions = async (id: string) => {
    const { rows } = await superuser.query<{ version: number }>(
      "select aggregate_version as version from outbox where aggregate_id = $1 order by 1",
      [id],
    );
    return rows.map(({ version }) => version);
  };

  test("from the highest version, where it has a row", async () => {
    const member = await registered();
    const broken = rawMember(superuser, { id: member.id });
    await withoutOutboxCheck(superuser, () => broken.event(7));
    await transaction(superuser, async () => {
      await superuser.query("alter table members disable trigger guard_outbox");
      await superuser.query("update members set version = 7 where member_id = $1", [member.id]);
      await superuser.query("alter table members enable always trigger guard_outbox");
      await superuser.query("update members set version = version + 1 where member_id = $1", [member.id]);
      await raise(member.id, "MemberMoved");
    });
    await transaction(client, async () => (await member.update(), await member.event(9)));
    expect(await versions(member.id)).toEqual([1, 7, 8, 9]);
  });

  test("as one that was removed, where it never was", async () => {
    const member = rawMember(superuser);
    await withoutOutboxCheck(superuser, () => member.event(3));
    await transaction(superuser, async () => {
      await superuser.query("insert into deleted_aggregates values ('members.Member', $1, 3)", [member.id]);
      await member.insert(4);
      await raise(member.id, "MemberJoined");
      await member.delete();
      await raise(member.id, "MemberLeft");
    });
    await transaction(superuser, async () => (await member.insert(6), await member.event(6)));
    expect(await versions(member.id)).toEqual([3, 4, 5, 6]);
  });
});
