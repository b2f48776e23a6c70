import type { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { connect, freshDatabase } from "../support/postgres.js";
import { rawCustomer, registeredCustomer, transaction, VIOLATION } from "./guarded-customer.js";

let superuser: Client;
let client: Client;
let other: Client;

beforeAll(async () => {
  const database = await freshDatabase();
  superuser = await connect(database.url);
  client = await connect(database.as("monolith_application").url);
  other = await connect(database.as("monolith_application").url);
});

const registered = () => registeredCustomer(client, superuser);

describe("versions go up by one and are never used twice", () => {
  test.each(["version", "version + 2", "version - 1", "1"])(
    "an update to version %s is refused, whatever events are written beside it",
    async (version) => {
      const customer = await registered();
      await transaction(client, async () => (await customer.update(), await customer.event(2)));
      const work = transaction(client, async () => {
        await customer.update(version);
        await customer.event(3);
        await customer.event(4);
      });
      await expect(work).rejects.toMatchObject({
        code: "DC001",
        message: expect.stringMatching(
          /^Table public.customers: an update of customers.Customer ".+" must take its version from 2 to 3, not to \d$/,
        ) as string,
      });
    },
  );

  test("a changed key is refused", async () => {
    const customer = await registered();
    await expect(
      client.query(
        "update customers set customer_id = '00000000-0000-0000-0000-000000000001', version = version + 1 where customer_id = $1",
        [customer.id],
      ),
    ).rejects.toMatchObject({
      code: "DC001",
      message: `Table public.customers: the key of customers.Customer "${customer.id}" cannot change (to "00000000-0000-0000-0000-000000000001")`,
    });
  });

  test.each([0, 2, 7])("an aggregate cannot begin with version %i", async (version) => {
    const customer = rawCustomer(client);
    const work = transaction(client, async () => {
      await customer.insert(version);
      await customer.event(version);
    });
    await expect(work).rejects.toThrow(
      version === 0 ? /customers_version_check|must have version 1/ : /must have version 1, not/,
    );
  });

  test("an aggregate that was deleted goes on with the next version, even after retention has removed its events", async () => {
    const customer = await registered();
    await transaction(client, async () => (await customer.delete(), await customer.event(2)));
    await customer.forgetEvents();

    const anew = (version: number) =>
      transaction(client, async () => (await customer.insert(version), await customer.event(version)));
    await expect(anew(1)).rejects.toMatchObject({
      code: "DC001",
      message: `Table public.customers: a new customers.Customer "${customer.id}" must have version 3, not 1`,
    });
    await expect(anew(2)).rejects.toMatchObject({
      message: `Table public.customers: a new customers.Customer "${customer.id}" must have version 3, not 2`,
    });
    await expect(anew(4)).rejects.toMatchObject(VIOLATION);
    await anew(3);
    const { rows } = await client.query("select from deleted_aggregates where aggregate_id = $1", [
      customer.id,
    ]);
    expect(rows).toEqual([]);

    await transaction(client, async () => (await customer.delete(), await customer.event(4)));
    expect(
      (await client.query("select version from deleted_aggregates where aggregate_id = $1", [customer.id]))
        .rows,
    ).toEqual([{ version: 4 }]);
  });

  test("deleted and created again in one transaction, its versions go on too", async () => {
    const customer = rawCustomer(client);
    await transaction(client, async () => {
      await customer.insert();
      await customer.delete();
      await customer.insert(3);
      await customer.update();
      await customer.delete();
      await customer.insert(6);
      for (const version of [1, 2, 3, 4, 5, 6]) await customer.event(version);
    });
    await expect(
      transaction(client, async () => (await customer.delete(), await customer.insert(1))),
    ).rejects.toMatchObject(VIOLATION);
  });

  test("an old version cannot be used again by creating and deleting in one transaction", async () => {
    const customer = await registered();
    await transaction(client, async () => (await customer.delete(), await customer.event(2)));
    await customer.forgetEvents();
    const work = transaction(client, async () => {
      await customer.insert(1);
      await customer.event(1);
      await customer.delete();
      await customer.event(2);
    });
    await expect(work).rejects.toMatchObject(VIOLATION);
  });

  test("a creation that does not see a concurrent deletion does not start at 1 again", async () => {
    for (const level of ["read committed", "repeatable read", "serializable"]) {
      const customer = await registered();
      const concurrent = rawCustomer(other, { id: customer.id });
      await other.query(`begin isolation level ${level}`);
      await other.query("select count(*) from customers"); // takes the snapshot
      await transaction(client, async () => (await customer.delete(), await customer.event(2)));
      await customer.forgetEvents();
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
    const customer = await registered();
    const rival = rawCustomer(other, { id: customer.id });
    await client.query("begin");
    await customer.update();
    await customer.event(2);
    const second = expect(
      transaction(other, async () => (await rival.update("2"), await rival.event(2))),
    ).rejects.toMatchObject({ code: "23505", table: "outbox" });
    await client.query("commit");
    await second;
  });
});
