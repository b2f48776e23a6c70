import type { Client } from "pg";
import { connect, freshDatabase, type FreshDatabase } from "../../support/postgres/postgres.js";
import { rawMember, transaction } from "../../runtime/postgres/migrations/guarded-member.js";
import type { CapturedDatabase } from "./capture-fixture.js";

/** A migrated database with its slot, and who works in it. */
export interface DatabaseUnderCapture {
  fresh: FreshDatabase;
  captured: CapturedDatabase;
  /** In the role monolith_application. */
  client: Client;
  superuser: Client;
}

/** Creates a database for one test. */
export async function databaseUnderCapture(): Promise<DatabaseUnderCapture> {
  const fresh = await freshDatabase({ slot: true });
  const { name, host, port } = fresh;
  const superuser = await connect(fresh.url);
  // Capture takes whatever the outbox holds.
  await superuser.query("alter table outbox disable trigger outbox_check");
  return {
    fresh,
    captured: { name, host, port, login: fresh.as("monolith_capture") },
    client: await connect(fresh.as("monolith_application").url),
    superuser,
  };
}

/** Commits members with so many versions each, their changes mixed. @returns their ids */
export async function changes(client: Client, members: number, versions: number): Promise<string[]> {
  const all = Array.from({ length: members }, () => rawMember(client));
  for (let version = 1; version <= versions; version += 1) {
    for (const member of all) {
      await transaction(client, async () => {
        await (version === 1 ? member.insert() : member.update());
        await member.event(version);
      });
    }
  }
  return all.map(({ id }) => id);
}
