import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import type { EventSourceStatus } from "../event-sources/event-source";
import type { LocalSystem } from "../system/system";
import type { ProjectionReport } from "./projections";
import type { OutboxEvent, Sources } from "./sources";

/** What was observed of one step of the reference architecture. */
export interface StepReport {
  step: number;
  what: string;
  /** What the count counts. */
  counted: string;
  count: number;
  example: unknown;
}

/** Gathers counts and an example for each of the nine steps: from the stores, the bus tap and the event sources. */
export async function describeSteps(
  system: LocalSystem,
  sources: Sources,
  projections: ProjectionReport,
): Promise<StepReport[]> {
  const { flow, landscape, registry, tap } = system;
  const statuses = flow.sources();
  const of = (service: EventSourceStatus["service"]) =>
    statuses.filter((status) => status.service === service);
  const succeeded = (list: EventSourceStatus[]) =>
    list.reduce((sum, { counts }) => sum + counts.succeeded, 0);
  const received = (list: EventSourceStatus[]) => list.reduce((sum, { counts }) => sum + counts.received, 0);
  const inMonolith = new Set(registry.modules.map(({ name }) => name));
  const isMonolith = ({ aggregate }: OutboxEvent) => inMonolith.has(aggregate.split(".")[0] ?? "");
  const monolith = sources.outbox.filter(isMonolith);
  const microservices = sources.outbox.filter((event) => !isMonolith(event));
  const journeyOf = (event: OutboxEvent | undefined) => {
    const journey = event && system.journal.get(event.id);
    return journey && { ...journey, deliveries: Object.fromEntries(journey.deliveries) };
  };
  const queues = of("sqs").map(({ functionName, counts }) => ({
    subscription: landscape.functions.get(functionName),
    received: counts.received,
    succeeded: counts.succeeded,
  }));
  const rows = Object.values(projections.tables).reduce(
    (sum, table) => sum + table.rows + table.tombstones,
    0,
  );
  const deadLetters = await deadLettersOf(system);
  return [
    {
      step: 1,
      what: "EventBridge bus",
      counted: "events seen on the bus",
      count: tap.events().length,
      example: tap.events()[0],
    },
    {
      step: 2,
      what: "CDC to Kinesis",
      counted: "records put on the stream",
      count: flow.capture.records(),
      example: flow.capture.newest(),
    },
    {
      step: 3,
      what: "PostgreSQL outbox",
      counted: "events committed with their entity",
      count: monolith.length,
      example: monolith[0],
    },
    {
      step: 4,
      what: "Kinesis relay",
      counted: "records relayed",
      count: succeeded(of("kinesis")),
      example: journeyOf(monolith[0]),
    },
    {
      step: 5,
      what: "rule, queue, function",
      counted: "messages handled",
      count: succeeded(of("sqs")),
      example: { queues, deadLetters },
    },
    {
      step: 6,
      what: "DynamoDB projections",
      counted: "rows and tombstones",
      count: rows,
      example: projections.example,
    },
    {
      step: 7,
      what: "DynamoDB outbox",
      counted: "events committed with their entity",
      count: microservices.length,
      example: microservices[0],
    },
    {
      step: 8,
      what: "DynamoDB stream",
      counted: "records captured",
      count: received(of("dynamodb")),
      example: microservices[0]?.id,
    },
    {
      step: 9,
      what: "DynamoDB relay",
      counted: "records relayed",
      count: succeeded(of("dynamodb")),
      example: journeyOf(microservices[0]),
    },
  ];
}

/** Messages in all dead-letter and quarantine queues. */
async function deadLettersOf({ deployment, clients }: LocalSystem): Promise<number> {
  const parking = deployment
    .byType("aws:sqs/queue:Queue")
    .filter(({ name }) => /-(dlq|quarantine)$/.test(name));
  const counts = await Promise.all(
    parking.map(async ({ state }) => {
      const { Attributes } = await clients.sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: String(state["url"]),
          AttributeNames: ["ApproximateNumberOfMessages"],
        }),
      );
      return Number(Attributes?.["ApproximateNumberOfMessages"] ?? 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
