import { randomUUID } from "node:crypto";
import type { Client } from "pg";

/** A member's row, written by raw SQL: what the guard has to stand up to. */
export interface RawMember {
  id: string;
  insert(version?: number): Promise<unknown>;
  /** @param version SQL of the new version @default "version + 1" */
  update(version?: string): Promise<unknown>;
  delete(): Promise<unknown>;
  /**
   * The outbox row of a version, old enough to be removed.
   *
   * @param payload @default what the row says
   */
  event(version: number, payload?: string): Promise<unknown>;
  /** Forgets its events, as retention does. */
  forgetEvents(): Promise<unknown>;
}

/** @param owner who may delete from the outbox @default client */
export function rawMember(
  client: Client,
  { owner = client, id = randomUUID() }: { owner?: Client; id?: string } = {},
): RawMember {
  return {
    id,
    insert: (version = 1) =>
      client.query(
        "insert into members (member_id, name, email, city, version) values ($1, 'Ada', 'ada@example.org', 'London', $2)",
        [id, version],
      ),
    update: (version = "version + 1") =>
      client.query(`update members set city = 'Paris', version = ${version} where member_id = $1`, [id]),
    delete: () => client.query("delete from members where member_id = $1", [id]),
    event: (version, payload) =>
      client.query(
        `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, occurred_at, correlation_id)
         values ($1, 'members.Member', $2::text, $3, 'MemberMoved', 1,
           coalesce($4::jsonb, jsonb_build_object('change', '{}'::jsonb, 'state', (
             select jsonb_build_object('memberId', member_id, 'name', name, 'email', email, 'city', city, 'lent', lent)
               from members where member_id::text = $2::text order by age(xmin) limit 1))),
           clock_timestamp() - interval '2 days', 'test')`,
        [randomUUID(), id, version, payload],
      ),
    forgetEvents: () => owner.query("delete from outbox where aggregate_id = $1", [id]),
  };
}

/** Runs `work` in one transaction. */
export async function transaction(
  client: Client,
  work: () => Promise<unknown>,
  begin = "begin",
): Promise<void> {
  await client.query(begin);
  try {
    await work();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

/** A member whose first version and event are committed. */
export async function registeredMember(client: Client, owner: Client): Promise<RawMember> {
  const member = rawMember(client, { owner });
  await transaction(client, async () => {
    await member.insert();
    await member.event(1);
  });
  return member;
}

/** What the guard raises for a change without its event. */
export const VIOLATION = { code: "DC001" };
/** What the check of the outbox raises for an event without its change, or one that does not tell it truly. */
export const UNTRUE = { code: "DC004" };
