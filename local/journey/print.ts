import type { Report } from "../servers/report";
import type { Journal, Journey } from "./journey";

/**
 * Prints the journey of each event, with the milliseconds of each hop, once it is on the bus and its last
 * subscriber is done with it.
 *
 * @param subscribersOf the subscriptions that receive an event
 */
export function printJourneys(
  journal: Journal,
  subscribersOf: (journey: Journey) => string[],
  report: Report,
): void {
  const printed = new Set<string>();
  journal.onProgress((journey) => {
    const arrived = (name: string) => journey.deliveries.get(name)?.doneAt !== undefined;
    if (journey.publishedAt === undefined || !subscribersOf(journey).every(arrived)) return;
    if (printed.has(journey.eventId)) return;
    printed.add(journey.eventId);
    report(describeJourney(journey));
  });
}

/** Describes a journey in a few lines. */
function describeJourney(journey: Journey): string {
  const { committedAt, capturedAt = committedAt, publishedAt = capturedAt } = journey;
  const committed = new Date(committedAt).toISOString().slice(11, 23);
  const head = `${committed} ${journey.source} ${journey.type} ${journey.aggregateId} v${journey.version}`;
  const way = `  committed -> captured ${hop(committedAt, capturedAt)} -> on the bus ${hop(capturedAt, publishedAt)}`;
  const ends = [...journey.deliveries].map(([subscription, delivery]) => {
    const { queuedAt, doneAt = queuedAt, failures } = delivery;
    const retried = failures > 0 ? `, after ${failures} failure(s)` : "";
    return `    -> ${subscription}: queued ${hop(publishedAt, queuedAt)}, done ${hop(queuedAt, doneAt)}${retried}; ${doneAt - committedAt} ms in all`;
  });
  return [head, way, ...ends].join("\n");
}

/**
 * A queue may receive an event before the relay receives the bus's answer; such a negative time is shown as
 * 0.
 */
function hop(from: number, to: number): string {
  return `+${Math.max(0, Math.round(to - from))} ms`;
}
