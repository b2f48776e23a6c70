import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from "@aws-sdk/client-eventbridge";
import type { FaultKind } from "./fault-kinds";
import type { FaultSchedule } from "./fault-schedule";
import type { AwsCall, CallFault } from "../proxies/aws-proxy";
import { logicalName } from "../proxies/caller";
import type { Random } from "./random";

/**
 * A kind that is listed twice is twice as frequent. Kills are rarer: restarting processes would be most of a
 * run's work.
 */
const ANY_CALL: readonly FaultKind[] = [
  "call throttled",
  "call throttled",
  "call refused",
  "call cut",
  "call cut",
  "call answer lost",
  "call answer lost",
  "call delayed",
  "call delayed",
  "killed before call",
  "killed after call",
];
const PUT_EVENTS = "AWSEvents.PutEvents";
const PUT_EVENTS_KINDS: readonly FaultKind[] = [
  ...ANY_CALL,
  "entries failed",
  "entries failed",
  "entries failed",
  "entries told failed",
  "entries told failed",
  ...Array.from({ length: 10 }, (): FaultKind => "event not taken"),
];

/** The throttling error of each service. */
const THROTTLING_CODES: Readonly<Record<string, string>> = {
  DynamoDB_20120810: "ProvisionedThroughputExceededException",
  AWSEvents: "ThrottlingException",
  AmazonSQS: "RequestThrottled",
};
const LONGEST_DELAY_MILLISECONDS = 400;

/** A code that concerns the entry alone, so that its relay gives it up. */
const NOT_TAKEN = "NotAuthorizedForSourceException";

/**
 * Decides about the functions' AWS calls. An event that the bus does not take is refused again and again, until the
 * faults stop.
 *
 * @param events publishes, as root, the entries of a PutEvents call that succeed
 */
export function callFaults(schedule: FaultSchedule, events: () => EventBridgeClient) {
  const notTaken = new Set<string>();
  /** Aggregate -> how often its events were sent. */
  const sent = new Map<string, number>();
  return async (call: AwsCall): Promise<CallFault | undefined> => {
    const { caller, target, body } = call;
    const isStuck = (entry: SentEntry) => notTaken.has(detailOf(entry).id);
    const timesOf = (entry: SentEntry) => sent.get(detailOf(entry).subject) ?? 0;
    const entries = target === PUT_EVENTS ? entriesOf(body) : [];
    for (const entry of entries) sent.set(detailOf(entry).subject, timesOf(entry) + 1);
    if (!schedule.isPaused() && entries.some(isStuck))
      return { do: "answer", body: await answerTo(entries, isStuck, NOT_TAKEN, events()) };
    const site = `${logicalName(caller)}: ${target || "other call"}`;
    const kind = schedule.draw(site, target === PUT_EVENTS ? PUT_EVENTS_KINDS : ANY_CALL);
    const details = schedule.details(site);
    switch (kind) {
      case "call throttled":
        return { do: "refuse", status: 400, code: throttlingCode(target) };
      case "call refused":
        // E.g. while the KMS key of a table or queue cannot be used.
        return { do: "refuse", status: 400, code: "AccessDeniedException" };
      case "call cut":
        return { do: "cut" };
      case "call answer lost":
        return { do: "lose answer" };
      case "call delayed":
        return { do: "delay", milliseconds: details.between(1, LONGEST_DELAY_MILLISECONDS) };
      case "killed before call":
        return { do: "kill before" };
      case "killed after call":
        return { do: "kill after" };
      case "event not taken": {
        // Of the busiest aggregate, so that later events wait behind it.
        const [busiest] = [...entries].sort((one, other) => timesOf(other) - timesOf(one));
        if (busiest) notTaken.add(detailOf(busiest).id);
        return { do: "answer", body: await answerTo(entries, isStuck, NOT_TAKEN, events()) };
      }
      case "entries failed":
      case "entries told failed":
        return { do: "answer", body: await somePublished(kind, body, events(), details) };
      default:
        return undefined;
    }
  };
}

function throttlingCode(target: string): string {
  return THROTTLING_CODES[target.split(".")[0] ?? ""] ?? "ThrottlingException";
}

/** Lets some entries fail, or only says so. */
async function somePublished(
  kind: "entries failed" | "entries told failed",
  body: Buffer,
  events: EventBridgeClient,
  details: Random,
): Promise<string> {
  const entries = entriesOf(body);
  const chosen = new Set(entries.filter(() => details.chance(0.5)));
  // At least one entry must fail.
  chosen.add(details.pick(entries));
  const isFailed = (entry: SentEntry) => chosen.has(entry);
  if (kind === "entries told failed") await publishNow(entries.filter(isFailed), events);
  return answerTo(entries, isFailed, "InternalFailure", events);
}

/** Publishes the entries that do not fail, and makes PutEvents' answer for all. */
async function answerTo(
  entries: readonly SentEntry[],
  isFailed: (entry: SentEntry) => boolean,
  ErrorCode: string,
  events: EventBridgeClient,
): Promise<string> {
  await publishNow(
    entries.filter((entry) => !isFailed(entry)),
    events,
  );
  return JSON.stringify({
    FailedEntryCount: entries.filter(isFailed).length,
    Entries: entries.map((entry, index) =>
      isFailed(entry)
        ? { ErrorCode, ErrorMessage: "A fault was injected." }
        : { EventId: `published-${index}` },
    ),
  });
}

async function publishNow(entries: readonly SentEntry[], events: EventBridgeClient): Promise<void> {
  if (entries.length > 0) await events.send(new PutEventsCommand({ Entries: entries.map(entryOf) }));
}

function entriesOf(body: Buffer): SentEntry[] {
  return (JSON.parse(body.toString("utf8")) as { Entries: SentEntry[] }).Entries;
}

function detailOf({ Detail = "{}" }: SentEntry): { id: string; subject: string } {
  return JSON.parse(Detail) as { id: string; subject: string };
}

/** An entry in the request body, where the time is in seconds. */
type SentEntry = Omit<PutEventsRequestEntry, "Time"> & { Time?: number };

function entryOf({ Time: seconds, ...entry }: SentEntry): PutEventsRequestEntry {
  return { ...entry, ...(seconds === undefined ? {} : { Time: new Date(seconds * 1_000) }) };
}
