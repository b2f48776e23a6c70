import { initializeMessageStorage, getDisabledLogger } from "pg-transactional-outbox";
import { v7 as uuid } from "uuid";
import { loadDomainsFrom } from "../registry/load-domains";
import type { StagedChange } from "../runtime/define/change";
import type { AnyTable } from "../runtime/define/table";
import { newTraceparent } from "../runtime/envelope/cloud-event";
import { commitToPostgres } from "../runtime/postgres/commit";
import { postgresHandle } from "../runtime/postgres/store";
import { FIXTURE_DOMAINS } from "../test/fixtures/source";
import type { Variant } from "./interleave";
import { type Connection, LIBRARY_OUTBOX, MEMBERS, UNGUARDED } from "./write-database";

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

/** Writes rows and their events as a command does: `create` and `commitToPostgres`. */
export function entityAndEvent(name: string, { db }: Connection, count = 1): Variant {
  const handle = postgresHandle(db, MEMBERS, membersTable());
  const staged = (): StagedChange => handle.create(newMember()).raise("MemberJoined");
  return {
    name,
    async run() {
      const requestId = uuid();
      const context = { correlationId: requestId, causationId: requestId, traceparent: newTraceparent() };
      const { outcome } = await commitToPostgres(db, Array.from({ length: count }, staged), context);
      if (outcome !== "committed") throw new Error(`The write ended in "${outcome}" and was not committed.`);
    },
  };
}

/** Writes the same rows alone, with one insert of Kysely's. */
export function rowAlone(name: string, { db }: Connection, count = 1): Variant {
  return {
    name,
    async run() {
      const rows = Array.from({ length: count }, () => rowOf(newMember()));
      await db.insertInto(MEMBERS).values(rows).execute();
    },
  };
}

/** A transaction of row and outbox, as teams write it by hand with Kysely: without versions, guard or checks. */
export function handWritten(name: string, { db }: Connection, count = 1): Variant {
  return {
    name,
    async run() {
      const members = Array.from({ length: count }, newMember);
      await db.transaction().execute(async (transaction) => {
        await transaction.insertInto(MEMBERS).values(members.map(rowOf)).execute();
        await transaction.insertInto("outbox").values(members.map(eventOf)).execute();
      });
    },
  };
}

/** The same with the library pg-transactional-outbox, which stores messages one by one, in its own table. */
export function withLibrary(name: string, { pool }: Connection, count = 1): Variant {
  const settings = {
    dbSchema: UNGUARDED,
    dbTable: LIBRARY_OUTBOX,
    enableMaxAttemptsProtection: false,
    enablePoisonousMessageProtection: false,
  };
  const store = initializeMessageStorage({ settings, outboxOrInbox: "outbox" }, getDisabledLogger());
  return {
    name,
    async run() {
      const client = await pool.connect();
      try {
        await client.query("begin");
        for (const member of Array.from({ length: count }, newMember)) {
          const row = rowOf(member);
          const columns = Object.keys(row);
          const values = columns.map((_, index) => `$${index + 1}`);
          await client.query(
            `insert into members (${columns.join(", ")}) values (${values.join(", ")})`,
            Object.values(row),
          );
          const { id, aggregate, aggregate_id, type, payload, ...metadata } = eventOf(member);
          const message = {
            id,
            aggregateType: aggregate,
            aggregateId: aggregate_id,
            messageType: type,
            payload,
            metadata,
          };
          await store(message, client);
        }
        await client.query("commit");
      } catch (error) {
        await client.query("rollback");
        throw error;
      } finally {
        client.release();
      }
    },
  };
}

type Member = ReturnType<typeof newMember>;

function rowOf({ memberId, ...fields }: Member) {
  return { member_id: memberId, ...fields, version: 1 };
}

function eventOf({ lent, ...member }: Member) {
  const requestId = uuid();
  return {
    id: uuid(),
    aggregate: "members.Member",
    aggregate_id: member.memberId,
    aggregate_version: 1,
    type: "MemberJoined",
    schema_version: 1,
    payload: JSON.stringify({ change: {}, state: { ...member, lent } }),
    correlation_id: requestId,
    causation_id: requestId,
    traceparent: newTraceparent(),
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
