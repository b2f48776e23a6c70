import * as pulumi from "@pulumi/pulumi";
import { EventBus } from "./components/event-bus";
import { Microservice } from "./components/microservice/microservice";
import { Monolith } from "./components/monolith/monolith";
import { readSettings } from "./components/settings";
import { UnclaimedEvents } from "./components/unclaimed-events";
import { loadDomains } from "./domains/registry";

const { modules, microservices, eventTypes } = loadDomains();
const settings = readSettings(new pulumi.Config(), { withMonolith: modules.length > 0 });
const { outboxRetentionDays, logRetentionDays, deletionProtection, alarmTopicArn } = settings;

const bus = new EventBus("events");

// Known once all subscriptions are declared. Relays, commands and reactions wait for them.
const [routes, setRoutes] = pulumi.deferredOutput<pulumi.Resource[]>();
const shared = { bus, routes, outboxRetentionDays, logRetentionDays, deletionProtection, alarmTopicArn };

const monolith = settings.monolith && declareMonolith(settings.monolith);

function declareMonolith(configured: NonNullable<typeof settings.monolith>): Monolith {
  const { subnetIds, securityGroupIds } = configured;
  return new Monolith("monolith", {
    modules,
    database: {
      host: configured.databaseHost,
      port: configured.databasePort,
      name: configured.databaseName,
      tls: configured.databaseTls,
      applicationSecretArn: configured.applicationSecretArn,
      captureSecretArn: configured.captureSecretArn,
      retentionSecretArn: configured.retentionSecretArn,
      captureStartPosition: configured.captureStartPosition,
      network: subnetIds && securityGroupIds && { subnetIds, securityGroupIds },
    },
    streamShards: configured.streamShards,
    streamRetentionHours: configured.streamRetentionHours,
    replicationInstanceClass: configured.replicationInstanceClass,
    ...shared,
  });
}

const services = microservices.map((domain) => ({
  name: domain.name,
  service: new Microservice(domain.name, { domain, ...shared }),
}));

const domains = [
  ...Object.entries(monolith?.modules ?? {}),
  ...services.map(({ name, service }) => [name, service] as const),
];

const subscribed = domains.flatMap(([, { subscriptions }]) =>
  Object.values(subscriptions).flatMap(({ targets }) => targets),
);
const unclaimed = new UnclaimedEvents("unclaimed", { bus, known: eventTypes, subscribed, alarmTopicArn });
setRoutes(pulumi.output([...subscribed, ...unclaimed.targets]));

/** ARN of the bus that carries all domain events. */
export const busArn = bus.arn;

/** Domain -> name of its command function. */
export const commandFunctions = Object.fromEntries(
  domains.map(([name, { commandFunction }]) => [name, commandFunction]),
);

/** Name of the function that removes old rows of the monolith's outbox and inbox; null without modules. */
export const retentionFunction = monolith ? monolith.retentionFunction : null;

/** Domain -> projection -> physical name of its table. */
export const projectionTables = Object.fromEntries(
  domains.map(([name, domain]) => [name, domain.projectionTables]),
);

/** Domain -> subscription -> URLs of its queue and its dead-letter queues. */
export const queues = Object.fromEntries(
  domains.map(([name, { subscriptions }]) => [
    name,
    Object.fromEntries(
      Object.entries(subscriptions).map(
        ([subscription, { queueUrl, deadLetterUrl, targetDeadLetterUrl }]) => [
          subscription,
          { queue: queueUrl, deadLetters: deadLetterUrl, targetDeadLetters: targetDeadLetterUrl },
        ],
      ),
    ),
  ]),
);

/** Relay -> URL of its quarantine queue. */
export const quarantineQueues = {
  ...(monolith ? { monolith: monolith.quarantineUrl } : {}),
  ...Object.fromEntries(services.map(({ name, service }) => [name, service.quarantineUrl])),
};

/** URL of the queue with events that no contract knows. */
export const unclaimedQueue = unclaimed.queueUrl;
/** Relay -> name of its table of holds. */
export const holdsTables = {
  ...(monolith ? { monolith: monolith.holdsTable } : {}),
  ...Object.fromEntries(services.map(({ name, service }) => [name, service.holdsTable])),
};
