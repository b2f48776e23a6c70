import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { KinesisClient, PutRecordCommand } from "@aws-sdk/client-kinesis";
import type { LocalSystem } from "../../../local/system/system";
import { aggregatesOf } from "../../../runtime/define/domain";
import type { Poison } from "../../verdict/writers-journal";
import { type Random, seededUuid } from "./random";

/** Injects poison into a system. */
export interface Poisoner {
  /**
   * Puts a record that is not an outbox row on the monolith's stream; does nothing where there is no module.
   */
  undecodableRecord(): Promise<void>;
  /** Puts an event without a version on the bus, which every handler refuses. */
  refusedEvent(): Promise<void>;
  /** Puts an event on the bus whose type its domain does not have. */
  unclaimedEvent(): Promise<void>;
  injected(): Poison[];
  close(): void;
}

const GARBAGE = [
  "not JSON",
  "{}",
  '{"data":null,"metadata":{"record-type":"data","table-name":"outbox","operation":"insert"}}',
  '{"data":{"id":1},"metadata":{"record-type":"data","table-name":"outbox","operation":"insert"}}',
  "\u0000\u0001\u0002",
];

/** A record as capture makes it of an outbox row. */
function rowOf(aggregate: string, id: string, type: string): string {
  const data = {
    ...{ id, aggregate, aggregate_id: id, aggregate_version: 1, type, schema_version: 1, correlation_id: id },
    payload: JSON.stringify({ change: {}, state: {} }),
    occurred_at: "2030-01-01T00:00:00.000000Z",
  };
  return JSON.stringify({
    data,
    metadata: { "record-type": "data", "table-name": "outbox", operation: "insert" },
  });
}

/** Opens the poisoner of a run. */
export function openPoisoner(system: LocalSystem, seed: number, random: Random): Poisoner {
  const { deployment, servers, clients, topology, registry } = system;
  const { endpoint, region, credentials } = servers.emulator;
  const kinesis = new KinesisClient({ endpoint, region, credentials });
  const stream = deployment.byType("aws:kinesis/stream:Stream")[0]?.state;
  const bus = String(deployment.resource("aws:cloudwatch/eventBus:EventBus", "events").state["name"]);
  const injected: Poison[] = [];
  const types = registry.all
    .flatMap(aggregatesOf)
    .flatMap(({ domain, events }) => Object.keys(events).map((type) => ({ source: domain, type })));
  const modules = registry.all.filter(({ kind }) => kind === "monolith-module").flatMap(aggregatesOf);
  let made = 0;
  /** Puts an event without a version on the bus. */
  const put = async (event: { source: string; type: string }) => {
    const id = seededUuid(seed, `poison ${(made += 1)}`);
    const subject = seededUuid(seed, "nobody");
    const detail = { specversion: "1.0", id, ...event, subject, data: { change: {}, state: {} } };
    const entry = { EventBusName: bus, Source: event.source, DetailType: event.type };
    await clients.events.send(
      new PutEventsCommand({ Entries: [{ ...entry, Detail: JSON.stringify(detail) }] }),
    );
    return detail;
  };
  return {
    async undecodableRecord() {
      if (!stream) return;
      const PartitionKey = seededUuid(seed, `poison ${(made += 1)}`);
      const { domain, name = "" } = random.pick(modules);
      const unknown = [
        rowOf(`${domain}.${name.split(".")[1]}`, PartitionKey, "OfNoContract"),
        rowOf(`${domain}s.${name.split(".")[1]}`, PartitionKey, "OfNoDomain"),
      ];
      const Data = Buffer.from(
        random.chance(0.5) ? random.pick(unknown) : `${random.pick(GARBAGE)} `.repeat(random.between(1, 3)),
      );
      await kinesis.send(new PutRecordCommand({ StreamName: String(stream["name"]), Data, PartitionKey }));
      injected.push({ kind: "undecodable", stream: String(stream["arn"]), payload: Data.toString("base64") });
    },
    async refusedEvent() {
      const event = types.find((one) => topology.subscribersOf(one).length > 0);
      if (!event) return;
      const detail = await put(event);
      for (const subscription of topology.subscribersOf(event)) {
        injected.push({ kind: "refused", eventId: detail.id, subscription, detail });
      }
    },
    async unclaimedEvent() {
      const event = random.pick(types);
      const detail = await put({ ...event, type: `${event.type}Elsewhere` });
      injected.push({ kind: "unclaimed", eventId: detail.id, detail });
    },
    injected: () => [...injected],
    close: () => kinesis.destroy(),
  };
}
