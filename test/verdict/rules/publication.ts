import { differences, eventIdOf } from "./envelope";
import { type Facts, nameOfEvent } from "../facts";
import { type Finding, finder } from "../finding";

const finding = finder("EVERY_EVENT_PUBLISHED");

/** Compares what was on the bus with the outboxes. Repeats are allowed, if they are the same. */
export function judgePublication({ snapshot, journal, eventsById }: Facts): Finding[] {
  const refused = journal.poison.filter((poison) => poison.kind === "refused");
  const injected = new Set(refused.map(({ eventId }) => eventId));
  const findings: Finding[] = [];
  const published = new Set<string>();
  for (const envelope of snapshot.bus) {
    const id = eventIdOf(envelope);
    const [event] = eventsById.get(id) ?? [];
    published.add(id);
    if (event) {
      for (const { field, expected, found } of differences(event, envelope))
        findings.push(finding(`${field} of ${nameOfEvent(event)} on the bus`, expected, found));
    } else if (!injected.has(id)) {
      findings.push(finding(`event "${id}" on the bus`, "an event of an outbox", envelope));
    }
  }
  for (const event of snapshot.outbox)
    if (!published.has(event.id)) findings.push(finding(nameOfEvent(event), "on the bus", "never there"));
  return findings;
}
