import { type Caller, logicalName } from "../proxies/caller";
import type { StatementFault } from "../proxies/postgres-proxy";
import type { FaultKind } from "./fault-kinds";
import type { FaultSchedule } from "./fault-schedule";

const ANY_STATEMENT: readonly FaultKind[] = [
  "statement cut",
  "statement in flight cut",
  "statement answer lost",
  "statement delayed",
  "killed before statement",
  "killed after statement",
  "statement cancelled",
  "session read only",
  "session emptied",
];
/** What spoils a session for good. */
const SPOILING = {
  "session read only": "set default_transaction_read_only = on",
  "session emptied": "discard all",
} as const;
/** What a statement usually takes at most. */
const LONGEST_STATEMENT_MILLISECONDS = 4;
const LONGEST_DELAY_MILLISECONDS = 200;

/** Decides about the functions' statements. */
export function statementFaults(schedule: FaultSchedule) {
  return (caller: Caller): Promise<StatementFault | undefined> => {
    const site = `${logicalName(caller)}: statement`;
    return Promise.resolve(faultOf(schedule.draw(site, ANY_STATEMENT), schedule, site));
  };
}

function faultOf(
  kind: FaultKind | undefined,
  schedule: FaultSchedule,
  site: string,
): StatementFault | undefined {
  switch (kind) {
    case "statement cut":
      return { do: "cut" };
    case "statement in flight cut":
      return { do: "cut in flight" };
    case "statement answer lost":
      return { do: "lose answer" };
    case "statement delayed":
      return { do: "delay", milliseconds: schedule.details(site).between(1, LONGEST_DELAY_MILLISECONDS) };
    case "killed before statement":
      return { do: "kill before" };
    case "killed after statement":
      return { do: "kill after" };
    case "statement cancelled":
      return {
        do: "cancel",
        afterMilliseconds: schedule.details(site).between(0, LONGEST_STATEMENT_MILLISECONDS),
      };
    case "session read only":
    case "session emptied":
      return { do: "spoil", sql: SPOILING[kind] };
    default:
      return undefined;
  }
}
