import type { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { connect, freshDatabase } from "../../../support/postgres/postgres.js";
import { rawMember, registeredMember, transaction, VIOLATION } from "./guarded-member.js";

let superuser: Client;
let client: Client;
let other: Client;

beforeAll(async () => {
  const database = await freshDatabase();
  superuser = await connect(database.url);
  client = await connect(database.as("monolith_application").url);
  other = await connect(database.as("monolith_application").url);
});

const registered = () => registeredMember(client, superuser);

describe("versions go up by one and are never used twice", () => {
  test.each(["version", "version + 2", "version - 1", "1"])(
    "an update to version %s is refused, and no event of another version helps",
    async (version) => {
      const member = await registered();
      await transaction(client, async () => (await member.update(), await member.event(2)));
      for (const other of [3, 4]) {
        const beside = transaction(
          client,
          async () => (await member.update(version), await member.event(other)),
        );
        await expect(beside).rejects.toMatchObject({ code: expect.stringMatching(/DC00[14]/) as string });
      }
      const work = transaction(client, () => member.update(version));
      await expect(work).rejects.toMatchObject({
        code: "DC001",
        message: expect.stringMatching(
          /^Table public.members: an update of members.Member ".+" must take its version from 2 to 3, not to \d$/,
        ) as string,
      });
    },
  );

  test("a changed key is refused", async () => {
    const member = await registered();
    await expect(
      client.query(
        "update members set member_id = '00000000-0000-0000-0000-000000000001', version = version + 1 where member_id = $1",
        [member.id],
      ),
    ).rejects.toMatchObject({
      code: "DC001",
      message: `Table public.members: the key of members.Member "${member.id}" cannot change (to "00000000-0000-0000-0000-000000000001")`,
    });
  });

  test.each([0, 2, 7])("an aggregate cannot begin with version %i", async (version) => {
    const member = rawMember(client);
    const work = transaction(client, async () => {
      await member.insert(version);
      await member.event(version);
    });
    await expect(work).rejects.toThrow(
      version === 0 ? /members_version_check|must have version 1/ : /must have version 1, not/,
    );
  });

  test("an aggregate that was deleted goes on with the next version, even after retention has removed its events", async () => {
    const member = await registered();
    await transaction(client, async () => (await member.delete(), await member.event(2)));
    await member.forgetEvents();

    const anew = (version: number) =>
      transaction(client, async () => (await member.insert(version), await member.event(version)));
    await expect(anew(1)).rejects.toMatchObject({
      code: "DC001",
      message: `Table public.members: a new members.Member "${member.id}" must have version 3, not 1`,
    });
    await expect(anew(2)).rejects.toMatchObject({
      message: `Table public.members: a new members.Member "${member.id}" must have version 3, not 2`,
    });
    await expect(anew(4)).rejects.toMatchObject(VIOLATION);
    await anew(3);
    const { rows } = await client.query("select from deleted_aggregates where aggregate_id = $1", [
      member.id,
    ]);
    expect(rows).toEqual([]);

    await transaction(client, async () => (await member.delete(), await member.event(4)));
    expect(
      (await client.query("select version from deleted_aggregates where aggregate_id = $1", [member.id]))
        .rows,
    ).toEqual([{ version: 4 }]);
  });

  test("deleted and created again in one transaction, its versions go on too", async () => {
    const member = rawMember(client);
    await transaction(client, async () => {
      const steps = [
        () => member.insert(),
        () => member.delete(),
        () => member.insert(3),
        () => member.update(),
        () => member.delete(),
        () => member.insert(6),
      ];
      for (const [index, step] of steps.entries()) {
        await step();
        await member.event(index + 1);
      }
    });
    await expect(
      transaction(client, async () => (await member.delete(), await member.insert(1))),
    ).rejects.toMatchObject(VIOLATION);
  });

  test("an old version cannot be used again by creating and deleting in one transaction", async () => {
    const member = await registered();
    await transaction(client, async () => (await member.delete(), await member.event(2)));
    await member.forgetEvents();
    const work = transaction(client, async () => {
      await member.insert(1);
      await member.event(1);
      await member.delete();
      await member.event(2);
    });
    await expect(work).rejects.toMatchObject(VIOLATION);
  });

  test("a creation that does not see a concurrent deletion does not start at 1 again", async () => {
    for (const level of ["read committed", "repeatable read", "serializable"]) {
      const member = await registered();
      const concurrent = rawMember(other, { id: member.id });
      await other.query(`begin isolation level ${level}`);
      await other.query("select count(*) from members"); // takes the snapshot
      await transaction(client, async () => (await member.delete(), await member.event(2)));
      await member.forgetEvents();
      const creation = (async () => {
        await concurrent.insert(1);
        await concurrent.event(1);
        await other.query("commit");
      })();
      await expect(creation).rejects.toMatchObject({ code: level === "read committed" ? "DC001" : "40001" });
      await other.query("rollback");
    }
  });

  test("of two concurrent updates of one version one is committed", async () => {
    const member = await registered();
    const rival = rawMember(other, { id: member.id });
    await client.query("begin");
    await member.update();
    await member.event(2);
    const second = expect(
      transaction(other, async () => (await rival.update("2"), await rival.event(2))),
    ).rejects.toMatchObject({ code: "23505", table: "outbox" });
    await client.query("commit");
    await second;
  });
});
