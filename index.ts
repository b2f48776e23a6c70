import * as pulumi from "@pulumi/pulumi";
import { EventBus } from "./components/event-bus";
import { Microservice } from "./components/microservice/microservice";
import { Monolith } from "./components/monolith/monolith";
import { readSettings } from "./components/settings";
import { loadDomains } from "./domains/registry";

const settings = readSettings(new pulumi.Config());
const { modules, microservices } = loadDomains();
const { subnetIds, securityGroupIds } = settings;
const { outboxRetentionDays, logRetentionDays, deletionProtection, alarmTopicArn } = settings;

const bus = new EventBus("events");

const monolith = new Monolith("monolith", {
  modules,
  bus,
  database: {
    host: settings.databaseHost,
    port: settings.databasePort,
    name: settings.databaseName,
    tls: settings.databaseTls,
    applicationSecretArn: settings.applicationSecretArn,
    captureSecretArn: settings.captureSecretArn,
    retentionSecretArn: settings.retentionSecretArn,
    network: subnetIds && securityGroupIds && { subnetIds, securityGroupIds },
  },
  streamShards: settings.streamShards,
  streamRetentionHours: settings.streamRetentionHours,
  replicationInstanceClass: settings.replicationInstanceClass,
  outboxRetentionDays,
  logRetentionDays,
  deletionProtection,
  alarmTopicArn,
});

const services = microservices.map((domain) => ({
  name: domain.name,
  service: new Microservice(domain.name, {
    domain,
    bus,
    outboxRetentionDays,
    logRetentionDays,
    deletionProtection,
    alarmTopicArn,
  }),
}));

const domains = [
  ...Object.entries(monolith.modules),
  ...services.map(({ name, service }) => [name, service] as const),
];

/** ARN of the bus that all domain events travel over. */
export const busArn = bus.arn;

/** Domain -> name of the function that takes its commands. */
export const commandFunctions = Object.fromEntries(
  domains.map(([name, { commandFunction }]) => [name, commandFunction]),
);

/** Name of the function that removes old rows of the monolith's outbox and inbox. */
export const retentionFunction = monolith.retentionFunction;

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

/** Relay -> URL of the queue with records that it could not decode. */
export const quarantineQueues = {
  monolith: monolith.quarantineUrl,
  ...Object.fromEntries(services.map(({ name, service }) => [name, service.quarantineUrl])),
};
