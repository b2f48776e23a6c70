import { v7 as uuid } from "uuid";
import { loadDomainsFrom } from "../registry/load-domains";
import type { StagedChange } from "../runtime/define/change";
import type { AnyTable } from "../runtime/define/table";
import { newTraceparent } from "../runtime/envelope/cloud-event";
import { commitToPostgres } from "../runtime/postgres/commit";
import { postgresHandle } from "../runtime/postgres/store";
import { FIXTURE_DOMAINS } from "../test/fixtures/source";
import type { Variant } from "./interleave";
import type { Connection } from "./write-database";

/** The entity table of the fixture module `members`. */
export function membersTable(): AnyTable {
  const { members } = loadDomainsFrom(FIXTURE_DOMAINS.domains).modules[0]?.tables ?? {};
  if (!members) throw new Error("The fixture domains have no table of members.");
  return members;
}

/** A member whose event has about 500 bytes. */
export function newMember() {
  const memberId = uuid();
  return {
    memberId,
    name: `Bench ${memberId} ${"n".repeat(150)}`,
    email: `${memberId}@${"bench".repeat(10)}.example.org`,
    city: "c".repeat(100),
    lent: 0,
  };
}

/** Writes a row and its event as a command does: `create` and `commitToPostgres`. */
export function entityAndEvent(name: string, { db }: Connection, table: string): Variant {
  const handle = postgresHandle(db, table, membersTable());
  return {
    name,
    async run() {
      const requestId = uuid();
      const context = { correlationId: requestId, causationId: requestId, traceparent: newTraceparent() };
      const staged: StagedChange = handle.create(newMember()).raise("MemberJoined");
      const { outcome } = await commitToPostgres(db, [staged], context);
      if (outcome !== "committed") throw new Error(`The write ended in "${outcome}" and was not committed.`);
    },
  };
}

/** Writes the same row alone, with Kysely. */
export function rowAlone(name: string, { db }: Connection, table: string): Variant {
  return {
    name,
    async run() {
      const { memberId, ...fields } = newMember();
      await db
        .insertInto(table)
        .values({ member_id: memberId, ...fields, version: 1 })
        .execute();
    },
  };
}

/** The shortest round trip to the server. */
export function roundTrip(name: string, { pool }: Connection): Variant {
  return {
    name,
    async run() {
      await pool.query("select 1");
    },
  };
}
