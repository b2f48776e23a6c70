import * as pulumi from "@pulumi/pulumi";
import { makeCommandHandler } from "../../runtime/command/handler";
import type { MonolithModule as Module } from "../../runtime/define/domain";
import { postgresStore } from "../../runtime/postgres/store";
import { openProjections } from "../../runtime/projection/table";
import { both } from "../function/access";
import { HandlerFunction } from "../function/handler-function";
import { type Used, usedByCommands } from "../function/used";
import { type MonolithDatabase, useDatabase } from "./database";
import { projectionTables, readProjections } from "../subscription/projections";
import type { Subscription } from "../subscription/subscription";
import { type SubscriptionDefaults, subscriptions } from "../subscription/subscriptions";

export interface MonolithModuleArgs extends SubscriptionDefaults {
  /** The module, as it is registered. */
  module: Module;
  database: MonolithDatabase;
  /** The relay of its events: it must know an event type before the module raises it. */
  relay: pulumi.Resource;
  /** Refuse to delete tables. */
  deletionProtection: boolean;
}

/** Concurrent invocations of one subscription's reactions, each of which holds a connection to the database. */
const MAXIMUM_CONCURRENCY = 5;

/**
 * One module of the monolith: its commands, projections and subscriptions. Its tables are in the monolith's
 * database.
 */
export class MonolithModule extends pulumi.ComponentResource {
  /** Name of the function that takes the module's commands. */
  readonly commandFunction: pulumi.Output<string>;
  readonly subscriptions: Record<string, Subscription>;
  /** Projection -> physical name of its table. */
  readonly projectionTables: Record<string, pulumi.Output<string>>;

  constructor(name: string, args: MonolithModuleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("domain-consistency:components:MonolithModule", name, {}, opts);
    const child = { parent: this };
    const { module, database, relay, deletionProtection, ...defaults } = args;
    const projections = projectionTables(module, deletionProtection, child);
    // Only a module that has projections packages the client that reads them.
    const opener = postgresStore(Object.keys(projections).length > 0 ? openProjections : undefined);
    const access = (uses: Used) => both(useDatabase(database), readProjections(module, projections, uses));

    const commands = new HandlerFunction(
      `${name}-commands`,
      {
        owner: `domain "${name}", commands`,
        handler: makeCommandHandler(module.name, module.commands, opener),
        ...access(usedByCommands(module.commands)),
        logRetentionDays: defaults.logRetentionDays,
        after: [relay],
      },
      child,
    );
    const store = { opener, access, relay, maximumConcurrency: MAXIMUM_CONCURRENCY };
    this.subscriptions = subscriptions(module, projections, store, defaults, child);
    this.commandFunction = commands.name;
    this.projectionTables = Object.fromEntries(
      Object.entries(projections).map(([projection, { name: table }]) => [projection, table]),
    );
    this.registerOutputs({ commandFunction: this.commandFunction });
  }
}
