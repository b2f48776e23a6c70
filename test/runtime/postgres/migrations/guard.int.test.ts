import type { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { connect, freshDatabase, type FreshDatabase } from "../../../support/postgres/postgres.js";
import { withoutOutboxCheck } from "../../../support/postgres/aged-rows.js";
import { rawMember, registeredMember, transaction, UNTRUE, VIOLATION } from "./guarded-member.js";

/** Change and event in one statement. */
const MOVED_WITH_EVENT = `
  with changed as (update members set city = 'Rome', version = version + 1 where member_id = $1 returning *)
  insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
  select gen_random_uuid(), 'members.Member', member_id::text, version, 'MemberMoved', 1,
         jsonb_build_object('change', '{}'::jsonb, 'state',
           jsonb_build_object('memberId', member_id, 'name', name, 'email', email, 'city', city, 'lent', lent)), 'test'
    from changed`;

let database: FreshDatabase;
let superuser: Client;
let client: Client;
let other: Client;

beforeAll(async () => {
  database = await freshDatabase();
  superuser = await connect(database.url);
  client = await connect(database.as("monolith_application").url);
  other = await connect(database.as("monolith_application").url);
});

const registered = () => registeredMember(client, superuser);

describe("a change without its event is refused at commit", () => {
  test("an insert", async () => {
    await expect(rawMember(client).insert()).rejects.toMatchObject(VIOLATION);
  });

  test("an update", async () => {
    const member = await registered();
    await expect(member.update()).rejects.toMatchObject(VIOLATION);
  });

  test("a deletion", async () => {
    const member = await registered();
    await expect(member.delete()).rejects.toMatchObject(VIOLATION);
  });

  test("the message names table, aggregate, id and version, and the hint shows what to write", async () => {
    const member = await registered();
    await expect(member.update()).rejects.toMatchObject({
      code: "DC001",
      message: `Table public.members: members.Member "${member.id}" was changed to version 2 without an outbox row, so the transaction cannot commit`,
      hint:
        "Write through the runtime's outbox, or raise the event after the change, in the same transaction: " +
        `select raise_event('members.Member', '${member.id}', '<event type>', '{<what happened>}')`,
    });
  });

  test("as superuser, as owner and as application alike", async () => {
    const owner = await connect(database.as("monolith_migration").url);
    for (const writer of [superuser, owner, client]) {
      await expect(rawMember(writer).insert()).rejects.toMatchObject(VIOLATION);
    }
  });

  test("an upsert", async () => {
    const member = await registered();
    const upsert = client.query(
      `insert into members values ($1, 'Ada', 'ada@example.org', 'London', 0, null, 1)
       on conflict (member_id) do update set city = 'Rome', version = members.version + 1`,
      [member.id],
    );
    await expect(upsert).rejects.toMatchObject(VIOLATION);
  });

  test("one row of many", async () => {
    const [first, second] = [await registered(), await registered()];
    const both = transaction(client, async () => {
      await client.query("update members set version = version + 1 where member_id = any($1)", [
        [first.id, second.id],
      ]);
      await first.event(2);
    });
    await expect(both).rejects.toMatchObject({ message: expect.stringContaining(second.id) as string });
  });

  test("a second change in a transaction whose first one has its event", async () => {
    const member = await registered();
    const work = transaction(client, async () => {
      await member.update();
      await member.event(2);
      await member.update();
    });
    await expect(work).rejects.toMatchObject({ message: expect.stringContaining("to version 3") as string });
  });

  test("with an event of another id, aggregate or version", async () => {
    const member = await registered();
    for (const [aggregate, id, version] of [
      ["members.Member", "somebody-else", 2],
      ["catalog.Product", member.id, 2],
      ["members.Member", member.id, 3],
    ] as const) {
      const work = transaction(client, async () => {
        await member.update();
        await client.query(
          `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
           values (gen_random_uuid(), $1, $2, $3, 'X', 1, '{"change": {}, "state": {}}', 'test')`,
          [aggregate, id, version],
        );
      });
      await expect(work).rejects.toMatchObject(UNTRUE);
    }
  });

  test("with an event that a savepoint took back", async () => {
    const member = await registered();
    const work = transaction(client, async () => {
      await member.update();
      await client.query("savepoint s");
      await member.event(2);
      await client.query("rollback to s");
    });
    await expect(work).rejects.toMatchObject(VIOLATION);
  });

  test("with an event that was committed before, in a transaction of its own", async () => {
    const member = await registered();
    const asSuperuser = rawMember(superuser, { id: member.id });
    await withoutOutboxCheck(superuser, () => asSuperuser.event(2));
    await expect(member.update()).rejects.toMatchObject({
      code: "DC001",
      message: `Table public.members: the outbox row for version 2 of members.Member "${member.id}" is of another transaction than the change`,
    });
  });

  test("with an event that another session commits while the change is under way", async () => {
    const member = await registered();
    const work = transaction(client, async () => {
      await member.update();
      await rawMember(other, { id: member.id }).event(2);
    });
    await expect(work).rejects.toMatchObject(UNTRUE);
  });

  test("whatever the session's settings are", async () => {
    const member = await registered();
    await superuser.query("set session_replication_role = replica");
    try {
      const asSuperuser = rawMember(superuser, { id: member.id });
      await expect(asSuperuser.update()).rejects.toMatchObject(VIOLATION);
      await expect(asSuperuser.update("version + 7")).rejects.toMatchObject(VIOLATION);
      await expect(superuser.query("truncate members")).rejects.toMatchObject(VIOLATION);
    } finally {
      await superuser.query("reset session_replication_role");
    }
    // Operators and tables of the caller's own must not take the place of those that the guard uses.
    await client.query("create temp table outbox (like public.outbox including all)");
    await client.query("create temp table deleted_aggregates (like public.deleted_aggregates including all)");
    await client.query("set search_path = pg_temp, public");
    try {
      const work = transaction(client, async () => {
        await member.update();
        await member.event(2);
      });
      await expect(work).rejects.toMatchObject(VIOLATION);
    } finally {
      await client.query("drop table pg_temp.outbox, pg_temp.deleted_aggregates");
      await client.query("reset search_path");
    }
  });

  test("an immediate check refuses earlier and lets nothing through", async () => {
    const member = await registered();
    for (const constraints of ["all", "guard_outbox"]) {
      const work = transaction(client, async () => {
        await client.query(`set constraints ${constraints} immediate`);
        await member.update();
        await client.query("select 'not reached'");
      });
      await expect(work).rejects.toMatchObject(VIOLATION);
    }
    await transaction(client, async () => {
      await client.query("set constraints all immediate");
      await client.query(MOVED_WITH_EVENT, [member.id]);
    });
  });

  test("nothing of a refused transaction stays", async () => {
    const member = await registered();
    await expect(member.update()).rejects.toMatchObject(VIOLATION);
    const { rows } = await client.query("select city, version from members where member_id = $1", [
      member.id,
    ]);
    expect(rows).toEqual([{ city: "London", version: 1 }]);
  });
});

describe("a change with its event is committed", () => {
  test("in one statement", async () => {
    const member = await registered();
    await client.query(MOVED_WITH_EVENT, [member.id]);
  });

  test("in two statements, the change first", async () => {
    const member = await registered();
    await transaction(client, async () => (await member.update(), await member.event(2)));
    const work = transaction(client, async () => (await member.event(3), await member.update()));
    await expect(work).rejects.toMatchObject(UNTRUE);
  });

  test("several changes of one aggregate, each with its own event", async () => {
    const member = rawMember(client);
    await transaction(client, async () => {
      await member.insert();
      await member.event(1);
      await member.update();
      await member.event(2);
      await member.update();
      await member.event(3);
      await member.delete();
      await member.event(4);
    });
  });

  test("in savepoints, of the change, of the event and of both", async () => {
    const member = await registered();
    await transaction(client, async () => {
      await client.query("savepoint a");
      await member.update();
      await client.query("savepoint b");
      await member.event(2);
      await client.query("release b");
      await client.query("release a");
      await client.query("savepoint c");
      await member.update();
      await member.event(3);
    });
  });

  test("a change that a savepoint took back needs none", async () => {
    const member = await registered();
    await transaction(client, async () => {
      await client.query("savepoint s");
      await member.update();
      await client.query("rollback to s");
    });
  });

  test("under repeatable read and serializable", async () => {
    for (const level of ["repeatable read", "serializable"]) {
      const member = rawMember(client);
      const begin = `begin isolation level ${level}`;
      await transaction(client, async () => (await member.insert(), await member.event(1)), begin);
      await transaction(client, async () => (await member.update(), await member.event(2)), begin);
      await transaction(client, async () => (await member.delete(), await member.event(3)), begin);
      await transaction(client, async () => (await member.insert(4), await member.event(4)), begin);
    }
    const { rows } = await client.query("select from deleted_aggregates where version < 2");
    expect(rows).toEqual([]);
  });
});
