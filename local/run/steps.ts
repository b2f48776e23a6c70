import type { OutboxEntry, Snapshot } from "../../test/verdict/snapshot";
import type { EventSourceStatus } from "../event-sources/event-source";
import type { LocalSystem } from "../system/system";

/** Observations of one step of the reference architecture. */
export interface StepReport {
  step: number;
  what: string;
  /** What `count` counts. */
  counted: string;
  count: number;
  example: unknown;
}

/**
 * Collects a count and an example for each of the nine steps, from the stores, the bus tap and the event
 * sources.
 */
export function describeSteps(
  { flow, topology, registry, tap, journal }: LocalSystem,
  { outbox, projections, deadLetters }: Snapshot,
): StepReport[] {
  const statuses = flow.sources();
  const of = (service: EventSourceStatus["service"]) =>
    statuses.filter((status) => status.service === service);
  const succeeded = (list: EventSourceStatus[]) =>
    list.reduce((sum, { counts }) => sum + counts.succeeded, 0);
  const received = (list: EventSourceStatus[]) => list.reduce((sum, { counts }) => sum + counts.received, 0);
  const inMonolith = new Set(registry.modules.map(({ name }) => name));
  const isMonolith = ({ aggregate }: OutboxEntry) => inMonolith.has(aggregate.split(".")[0] ?? "");
  const monolith = outbox.filter(isMonolith);
  const microservices = outbox.filter((event) => !isMonolith(event));
  const journeyOf = (event: OutboxEntry | undefined) => {
    const journey = event && journal.get(event.id);
    return journey && { ...journey, deliveries: Object.fromEntries(journey.deliveries) };
  };
  const queues = of("sqs").map(({ functionName, counts }) => ({
    subscription: topology.functions.get(functionName),
    received: counts.received,
    succeeded: counts.succeeded,
  }));
  const rows = Object.values(projections).flat();
  const step = (number: number, what: string, counted: string, count: number, example: unknown) => ({
    step: number,
    what,
    counted,
    count,
    example,
  });
  const committed = "events committed with their entity";
  return [
    step(1, "EventBridge bus", "events seen on the bus", tap.events().length, tap.events()[0]),
    step(2, "CDC to Kinesis", "records put on the stream", flow.capture.records(), flow.capture.newest()),
    step(3, "PostgreSQL outbox", committed, monolith.length, monolith[0]),
    step(4, "Kinesis relay", "records relayed", succeeded(of("kinesis")), journeyOf(monolith[0])),
    step(5, "rule, queue, function", "messages handled", succeeded(of("sqs")), {
      queues,
      deadLetters: deadLetters.length,
    }),
    step(6, "DynamoDB projections", "rows and tombstones", rows.length, rows[0]),
    step(7, "DynamoDB outbox", committed, microservices.length, microservices[0]),
    step(8, "DynamoDB stream", "records captured", received(of("dynamodb")), microservices[0]?.id),
    step(9, "DynamoDB relay", "records relayed", succeeded(of("dynamodb")), journeyOf(microservices[0])),
  ];
}
