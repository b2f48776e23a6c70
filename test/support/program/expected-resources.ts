/**
 * Every resource that the program must declare for any domains, as "type name", derived from their
 * registration independently of the components.
 */
import type { Registry } from "../../../dist/registry/load-domains.js";
import type { AnyDomain } from "../../../dist/runtime/define/domain.js";

/** The resources of the program with the required configuration only. */
export function expectedResources({ modules, microservices }: Registry): string[] {
  return [
    "EventBus events",
    ...(modules.length > 0 ? [...captured("monolith"), ...retention("monolith-retention")] : []),
    ...modules.flatMap(domain),
    ...microservices.flatMap(microservice),
  ].sort();
}

function captured(name: string): string[] {
  return [
    `Stream ${name}-stream`,
    `Endpoint ${name}-source`,
    `Endpoint ${name}-target`,
    `ReplicationInstance ${name}-instance`,
    `ReplicationTask ${name}-task`,
    ...["source", "target"].flatMap((end) => [
      `Role ${name}-${end}-role`,
      `RolePolicy ${name}-${end}-policy`,
      `MetricAlarm ${name}-${end}-latency-alarm`,
    ]),
    ...relay(`${name}-relay`),
  ];
}

function retention(name: string): string[] {
  return [
    ...lambda(name),
    `EventRule ${name}-schedule`,
    `EventTarget ${name}-target`,
    `Permission ${name}-permission`,
    `MetricAlarm ${name}-alarm`,
  ];
}

function microservice(registered: AnyDomain): string[] {
  const { name, tables } = registered;
  return [
    ...Object.keys(tables).map((table) => `Table ${name}-${table}-table`),
    `Table ${name}-outbox`,
    `Table ${name}-inbox`,
    ...relay(`${name}-relay`),
    ...domain(registered),
  ];
}

function domain({ name, subscriptions }: AnyDomain): string[] {
  const projections = Object.entries(subscriptions).filter(([, { kind }]) => kind === "project");
  return [
    ...lambda(`${name}-commands`),
    ...projections.map(([projection]) => `Table ${name}-${projection}-projection`),
    ...Object.keys(subscriptions).flatMap((subscription) => subscribed(`${name}-on-${subscription}`)),
  ];
}

/** Rule -> queue -> function, with a dead-letter queue and an alarm for each way to fail. */
function subscribed(name: string): string[] {
  return [
    ...lambda(name),
    `EventRule ${name}-rule`,
    `EventTarget ${name}-target`,
    `Queue ${name}-queue`,
    `QueuePolicy ${name}-queue-policy`,
    ...parked(`${name}-dlq`),
    ...parked(`${name}-target-dlq`),
    `QueuePolicy ${name}-target-dlq-policy`,
    `EventSourceMapping ${name}-source`,
  ];
}

function relay(name: string): string[] {
  return [
    ...lambda(name),
    ...parked(`${name}-quarantine`),
    `Table ${name}-holds`,
    `EventSourceMapping ${name}-source`,
    `MetricAlarm ${name}-age-alarm`,
  ];
}

function parked(queue: string): string[] {
  return [`Queue ${queue}`, `MetricAlarm ${queue}-alarm`];
}

function lambda(name: string): string[] {
  return [`Function ${name}`, `Role ${name}-role`, `RolePolicy ${name}-policy`, `LogGroup ${name}-log`];
}
