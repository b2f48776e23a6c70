import type { Kysely } from "kysely";
import type { CommittedChange } from "../store/store";
import type { AnyDatabase } from "./statement";

/** The columns that tell of a change, as migration 0002 declares them. */
interface EventRow {
  id: string;
  aggregate: string;
  aggregate_id: string;
  aggregate_version: number;
  type: string;
}

/** What was committed to PostgreSQL with events of these ids, in their order: all of one commit; undefined if nothing was. */
export async function committedUnder(
  db: Kysely<AnyDatabase>,
  eventIds: string[],
): Promise<CommittedChange[] | undefined> {
  if (eventIds.length === 0) return undefined;
  const columns = ["id", "aggregate", "aggregate_id", "aggregate_version", "type"] as const;
  const rows = await db.selectFrom("outbox").select(columns).where("id", "in", eventIds).execute();
  if (rows.length === 0) return undefined;
  const changes = new Map((rows as EventRow[]).map((row) => [row.id, changeOf(row)]));
  return eventIds.flatMap((id) => changes.get(id) ?? []);
}

function changeOf({ id, aggregate, aggregate_id, aggregate_version, type }: EventRow): CommittedChange {
  return { aggregate, id: aggregate_id, version: aggregate_version, event: type, eventId: id };
}
