import type { CapturedRecord } from "../capture/capture";
import type { EventHeader } from "./journey";

/** The event that a captured record tells of; undefined for what retention removes, which is captured too and is no event. */
export function capturedHeader({ operation, row, committedAt }: CapturedRecord): EventHeader | undefined {
  if (operation !== "insert") return undefined;
  return {
    eventId: String(row["id"]),
    source: String(row["aggregate"]).split(".")[0] ?? "",
    type: String(row["type"]),
    aggregateId: String(row["aggregate_id"]),
    version: Number(row["aggregate_version"]),
    committedAt,
  };
}
