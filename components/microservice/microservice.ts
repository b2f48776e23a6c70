import * as pulumi from "@pulumi/pulumi";
import { makeCommandHandler } from "../../runtime/command/handler";
import { dynamoStore } from "../../runtime/dynamodb/store";
import type { MicroserviceDomain } from "../../runtime/define/domain";
import { makeDynamoRelay } from "../../runtime/relay/dynamodb-relay";
import { eventsOf } from "../../runtime/relay/known-events";
import { both } from "../function/access";
import type { EventBus } from "../event-bus";
import { HandlerFunction } from "../function/handler-function";
import { microserviceStore, readInbox, useStore } from "./tables";
import { Relay } from "../function/relay";
import type { Routes } from "../function/routes";
import { type Used, usedByCommands } from "../function/used";
import type { Subscription } from "../subscription/subscription";
import { subscriptions } from "../subscription/subscriptions";

export interface MicroserviceArgs {
  /** The domain, as it is registered. */
  domain: MicroserviceDomain;
  bus: EventBus;
  /** What must stand before the relay and the functions publish or raise events. @default nothing */
  routes?: Routes | undefined;
  /** Days that outbox items are kept, for redrive and audit. */
  outboxRetentionDays: number;
  logRetentionDays: number;
  /** Refuse to delete tables. */
  deletionProtection: boolean;
  /** SNS topic for alarms. */
  alarmTopicArn: string | undefined;
}

/**
 * A domain with its own DynamoDB tables: entity tables, outbox with stream and relay, inbox, projections,
 * subscriptions, commands.
 */
export class Microservice extends pulumi.ComponentResource {
  /** Name of the function that takes the domain's commands. */
  readonly commandFunction: pulumi.Output<string>;
  readonly subscriptions: Record<string, Subscription>;
  /** Projection -> physical name of its table. */
  readonly projectionTables: Record<string, pulumi.Output<string>>;
  readonly quarantineUrl: pulumi.Output<string>;
  /** Name of the relay's table of holds. */
  readonly holdsTable: pulumi.Output<string>;

  constructor(name: string, args: MicroserviceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("domain-consistency:components:Microservice", name, {}, opts);
    const child = { parent: this };
    const { domain, bus, routes, outboxRetentionDays, logRetentionDays, alarmTopicArn } = args;
    const store = microserviceStore(domain, args.deletionProtection, child);
    const access = (uses: Used | undefined) => useStore(domain, store, outboxRetentionDays, uses);

    const relay = new Relay(
      `${name}-relay`,
      {
        owner: `domain "${name}", relay`,
        handler: makeDynamoRelay(eventsOf([domain])),
        bus,
        domains: [domain.name],
        streamArn: store.outbox.streamArn,
        reading: {
          Sid: "ReadOutboxStream",
          Action: [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
          ],
          Resource: store.outbox.streamArn,
        },
        filters: [{ eventName: ["INSERT"] }],
        deletionProtection: args.deletionProtection,
        routes,
        logRetentionDays,
        alarmTopicArn,
      },
      child,
    );
    const uses = Object.keys(domain.commands).length > 0 ? usedByCommands(domain.commands) : undefined;
    const commands = new HandlerFunction(
      `${name}-commands`,
      {
        owner: `domain "${name}", commands`,
        handler: makeCommandHandler(domain.name, domain.commands, dynamoStore),
        ...both(access(uses), readInbox(store)),
        logRetentionDays,
        after: [relay],
      },
      child,
    );
    const database = { opener: dynamoStore, access, relay };
    const defaults = { bus, logRetentionDays, alarmTopicArn };
    this.subscriptions = subscriptions(domain, store.projections, database, defaults, child);
    this.commandFunction = commands.name;
    this.projectionTables = Object.fromEntries(
      Object.entries(store.projections).map(([projection, { name: table }]) => [projection, table]),
    );
    this.quarantineUrl = relay.quarantineUrl;
    this.holdsTable = relay.holdsTable;
    this.registerOutputs({ commandFunction: this.commandFunction });
  }
}
