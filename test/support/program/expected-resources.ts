/**
 * Every resource that the program must declare for any domains, as "type name", derived from their
 * registration independently of the components.
 */
import type { Registry } from "../../../dist/registry/load-domains.js";
import type { AnyDomain } from "../../../dist/runtime/define/domain.js";

/** The resources of the program with the required configuration only. */
export function expectedResources({ all, modules, microservices }: Registry): string[] {
  return [
    "EventBus events",
    ...unclaimed(all),
    ...(modules.length > 0 ? [...captured("monolith"), ...retention("monolith-retention")] : []),
    ...modules.flatMap(domain),
    ...microservices.flatMap(microservice),
  ].sort();
}

/** A rule for each domain that has events, and one for all other sources. */
function unclaimed(all: readonly AnyDomain[]): string[] {
  const publishing = all.filter(({ tables }) => Object.keys(tables).length > 0);
  const rules = ["unclaimed", ...publishing.map(({ name }) => `unclaimed-of-${name}`)];
  return [
    ...parked("unclaimed-queue"),
    "QueuePolicy unclaimed-queue-policy",
    ...rules.flatMap((rule) => [`EventRule ${rule}-rule`, `EventTarget ${rule}-target`]),
  ];
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
    `MetricAlarm ${name}-runs-alarm`,
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
    `MetricAlarm ${name}-queue-age-alarm`,
    `MetricAlarm ${name}-lost-alarm`,
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
    ...["age", "reads", "throttles"].map((what) => `MetricAlarm ${name}-${what}-alarm`),
  ];
}

function parked(queue: string): string[] {
  return [`Queue ${queue}`, `MetricAlarm ${queue}-alarm`, `MetricAlarm ${queue}-age-alarm`];
}

function lambda(name: string): string[] {
  return [`Function ${name}`, `Role ${name}-role`, `RolePolicy ${name}-policy`, `LogGroup ${name}-log`];
}
