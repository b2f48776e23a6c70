import { setTimeout as delay } from "node:timers/promises";
import type { SQSRecord } from "aws-lambda";
import type { Delivery, FaultPlan } from "../../../local/event-sources/fault-plan";
import type { Brake } from "./brake";
import type { FaultKind } from "./fault-kinds";
import type { FaultSchedule } from "./fault-schedule";
import type { Random } from "./random";

const BEFORE: readonly FaultKind[] = [
  "invocation lost",
  "delivered twice",
  "poller killed before",
  "delivery delayed",
];
const AFTER: readonly FaultKind[] = ["batch answer lost", "poller killed after"];
const ARRANGED: readonly FaultKind[] = ["messages reordered", "messages duplicated", "messages held back"];
const LONGEST_DELAY_MILLISECONDS = 500;

/**
 * Shorter than on AWS (six times the function's timeout), so that the messages of a killed function come back
 * soon.
 */
const VISIBILITY_TIMEOUT_SECONDS = 3;

/**
 * Decides about faults between a stream or queue and its function.
 *
 * @param site the function, by its logical name
 */
export function deliveryFaults(schedule: FaultSchedule, site: string, brake: Brake): FaultPlan {
  return {
    async beforeReceive() {
      await brake.released(site);
      return { visibilityTimeoutSeconds: brake.visibilityTimeoutSeconds() ?? VISIBILITY_TIMEOUT_SECONDS };
    },
    arrange(records) {
      const place = `${site}: messages`;
      const kind = schedule.draw(place, ARRANGED);
      return Promise.resolve(arranged(kind, records, schedule.details(place)));
    },
    async beforeInvoke(_delivery: Delivery) {
      const place = `${site}: before delivery`;
      switch (schedule.draw(place, BEFORE)) {
        case "invocation lost":
          return "lose";
        case "delivered twice":
          return "twice";
        case "poller killed before":
          return "kill";
        case "delivery delayed":
          await delay(schedule.details(place).between(1, LONGEST_DELAY_MILLISECONDS));
          return undefined;
        default:
          return undefined;
      }
    },
    afterInvoke() {
      const kind = schedule.draw(`${site}: after delivery`, AFTER);
      if (kind === "batch answer lost") return Promise.resolve("lose");
      return Promise.resolve(kind === "poller killed after" ? "kill" : undefined);
    },
  };
}

function arranged(
  kind: FaultKind | undefined,
  records: readonly SQSRecord[],
  details: Random,
): readonly SQSRecord[] {
  switch (kind) {
    case "messages reordered":
      return details.shuffled(records);
    case "messages duplicated":
      return details.shuffled([...records, ...records.filter(() => details.chance(0.5))]);
    case "messages held back":
      return records.filter(() => details.chance(0.5));
    default:
      return records;
  }
}
