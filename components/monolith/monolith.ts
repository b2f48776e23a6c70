import * as pulumi from "@pulumi/pulumi";
import { codedError } from "../../runtime/function/coded-error";
import type { MonolithModule as Module } from "../../runtime/define/domain";
import { ChangeDataCapture } from "./change-data-capture";
import type { EventBus } from "../event-bus";
import type { Routes } from "../function/routes";
import type { MonolithDatabase } from "./database";
import { MonolithModule } from "./module";
import { Retention } from "./retention";

export interface MonolithArgs {
  /** The modules, as they are registered. */
  modules: Module[];
  bus: EventBus;
  /** The database, which exists already and is migrated (`npm run migrate`). */
  database: MonolithDatabase;
  /** Shards of the stream. */
  streamShards: number;
  /** Hours that the stream keeps records. */
  streamRetentionHours: number;
  /** E.g. "dms.t3.micro". */
  replicationInstanceClass: string;
  /** Days that outbox rows are kept, for redrive and audit. */
  outboxRetentionDays: number;
  logRetentionDays: number;
  /** What must stand before the relay and the modules' functions publish or raise events. @default nothing */
  routes?: Routes | undefined;
  /** Refuse to delete tables. */
  deletionProtection: boolean;
  /** SNS topic for alarms. */
  alarmTopicArn: string | undefined;
}

/** The monolith: change data capture and retention of its outbox, and its modules. */
export class Monolith extends pulumi.ComponentResource {
  readonly modules: Record<string, MonolithModule>;
  readonly streamArn: pulumi.Output<string>;
  readonly quarantineUrl: pulumi.Output<string>;
  /** Name of the relay's table of holds. */
  readonly holdsTable: pulumi.Output<string>;
  /** Name of the function that removes old rows. */
  readonly retentionFunction: pulumi.Output<string>;

  constructor(name: string, args: MonolithArgs, opts?: pulumi.ComponentResourceOptions) {
    super("domain-consistency:components:Monolith", name, {}, opts);
    const child = { parent: this };
    if (args.modules.length === 0) throw withoutModules();
    const { modules, bus, database, routes, deletionProtection, logRetentionDays, alarmTopicArn } = args;
    const capture = new ChangeDataCapture(
      name,
      {
        database,
        bus,
        modules,
        streamShards: args.streamShards,
        streamRetentionHours: args.streamRetentionHours,
        replicationInstanceClass: args.replicationInstanceClass,
        routes,
        deletionProtection,
        logRetentionDays,
        alarmTopicArn,
      },
      child,
    );
    const retention = new Retention(
      `${name}-retention`,
      { database, outboxRetentionDays: args.outboxRetentionDays, logRetentionDays, alarmTopicArn },
      child,
    );
    const { relay } = capture;
    const moduleArgs = { database, bus, relay, deletionProtection, logRetentionDays, alarmTopicArn };
    this.modules = Object.fromEntries(
      modules.map((module) => [
        module.name,
        new MonolithModule(module.name, { module, ...moduleArgs }, child),
      ]),
    );
    this.streamArn = capture.streamArn;
    this.quarantineUrl = capture.quarantineUrl;
    this.holdsTable = capture.holdsTable;
    this.retentionFunction = retention.functionName;
    this.registerOutputs({ streamArn: this.streamArn });
  }
}

/** Its relay's permission to publish would name no domain. */
function withoutModules() {
  return codedError(
    "MONOLITH_WITHOUT_MODULES",
    'The monolith has no modules, so there is nothing to capture. Add a domain folder with `monolithModule("<name>", {...})`, or remove "Monolith" from index.ts.',
  );
}
