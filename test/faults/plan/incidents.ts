import { KinesisClient, ListShardsCommand, SplitShardCommand } from "@aws-sdk/client-kinesis";
import { Client } from "pg";
import { codedError } from "../../../runtime/function/coded-error";
import type { LocalSystem } from "../../../local/system/system";
import type { LockedRows } from "../../verdict/writers-journal";
import type { Brake } from "./brake";
import type { FaultKind } from "./fault-kinds";
import type { Gate } from "../writers/gate";
import type { FaultSchedule } from "./fault-schedule";
import { lockRows } from "./locked-rows";
import type { Poisoner } from "./poison";
import { randomStream } from "./random";

/** A fault that happens at a point of the run and not at a call. */
export interface Incident {
  kind: FaultKind;
  /** Happens when this number of operations has begun. */
  atOperation: number;
}

const OPERATIONS_PER_POISON = 150;
const POISONS: readonly FaultKind[] = ["record undecodable", "event refused", "event unclaimed"];
/** Server failures, ends of connections and shard splits per run. */
const KILLS = 2;
const RESTARTS = 1;
const ENDINGS = 2;
/** Locked rows take half a minute each: a short run has none. */
const OPERATIONS_PER_LOCK = 300;
const MOST_LOCKS = 2;
const SPLITS = 1;

/** Plans the incidents of a seed over a number of operations, in order. */
export function planIncidents(seed: number, operations: number): Incident[] {
  const random = randomStream(seed, "incidents");
  const poisons = Math.max(1, Math.floor(operations / OPERATIONS_PER_POISON));
  const locks = Math.min(MOST_LOCKS, Math.floor(operations / OPERATIONS_PER_LOCK));
  const kinds: FaultKind[] = [
    ...Array.from({ length: poisons }, (): FaultKind => random.pick(POISONS)),
    ...Array.from({ length: KILLS }, (): FaultKind => "PostgreSQL killed"),
    ...Array.from({ length: ENDINGS }, (): FaultKind => "idle connections ended"),
    ...Array.from({ length: RESTARTS }, (): FaultKind => "PostgreSQL restarted"),
    ...Array.from({ length: locks }, (): FaultKind => "row locked"),
    ...Array.from({ length: RESTARTS }, (): FaultKind => "emulator restarted"),
    ...Array.from({ length: SPLITS }, (): FaultKind => "shard split"),
  ];
  return kinds
    .map((kind) => ({ kind, atOperation: random.between(1, operations) }))
    .sort((one, other) => one.atOperation - other.atOperation);
}

/** The run that incidents happen to. */
export interface Scene {
  system: LocalSystem;
  schedule: FaultSchedule;
  poisoner: Poisoner;
  writers: Gate;
  brake: Brake;
  /** Takes the times in which rows were locked. */
  locked: LockedRows[];
  /** Reads the streams that the emulator loses in a restart. */
  beforeRestart: () => Promise<void>;
}

/** Makes an incident happen, and resolves when the servers are up again. */
export async function happen({ kind }: Incident, scene: Scene): Promise<void> {
  const { system, poisoner, schedule, beforeRestart } = scene;
  switch (kind) {
    case "PostgreSQL killed":
      await system.servers.postgres.restart("kill");
      break;
    case "PostgreSQL restarted":
      await system.servers.postgres.restart("in order");
      break;
    case "idle connections ended":
      await endIdleConnections(system.database.adminUrl);
      break;
    case "emulator restarted":
      // It loses the records of DynamoDB streams, which AWS would not. Writers continue as soon as it is
      // down.
      await inQuiet(scene, async (goOn) => {
        await beforeRestart();
        await system.servers.emulator.restart(goOn);
      });
      break;
    case "row locked":
      await inQuiet(scene, async (_, openWriters) => {
        const locked = await scene.brake.slowly(() => lockRows(scene, openWriters));
        if (locked) scene.locked.push(locked);
      });
      break;
    case "shard split":
      // The emulator drops the split shard with its unread records, which AWS keeps until they are read.
      await inQuiet(scene, () => splitShard(system));
      break;
    case "record undecodable":
      await poisoner.undecodableRecord();
      break;
    case "event refused":
      await poisoner.refusedEvent();
      break;
    case "event unclaimed":
      await poisoner.unclaimedEvent();
      break;
    default:
      throw codedError("INCIDENT_UNKNOWN", `"${kind}" is not an incident: it happens at a call.`);
  }
  schedule.count(kind);
}

/**
 * Holds the writers and the faults, waits until everything has arrived, and continues after the action, or
 * when the action says so.
 */
async function inQuiet(
  { system, schedule, writers }: Scene,
  action: (goOn: () => void, openWriters: () => void) => Promise<void>,
): Promise<void> {
  const openAgain = await writers.close();
  schedule.pause();
  const goOn = (): void => {
    schedule.resume();
    openAgain();
  };
  try {
    await system.flow.settled();
    await action(goOn, openAgain);
  } finally {
    goOn();
  }
}

/** Ends the functions' connections that run no statement, as an administrator or a failover does. */
async function endIdleConnections(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    // function-preload.ts names them "<pid>.<function>".
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and state = 'idle' and application_name ~ '^[0-9]+[.]'`,
    );
  } finally {
    await client.end();
  }
}

/** Splits the monolith's first open shard in the middle of its keys. */
async function splitShard({ deployment, servers }: LocalSystem): Promise<void> {
  const { endpoint, region, credentials } = servers.emulator;
  const kinesis = new KinesisClient({ endpoint, region, credentials });
  const [stream] = deployment.byType("aws:kinesis/stream:Stream");
  // Without modules there is none.
  if (!stream) return;
  const StreamName = String(stream.state["name"]);
  try {
    const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName }));
    const open = Shards.find(({ SequenceNumberRange }) => !SequenceNumberRange?.EndingSequenceNumber);
    const { StartingHashKey = "0", EndingHashKey = "0" } = open?.HashKeyRange ?? {};
    const NewStartingHashKey = String((BigInt(StartingHashKey) + BigInt(EndingHashKey)) / 2n);
    await kinesis.send(
      new SplitShardCommand({ StreamName, ShardToSplit: open?.ShardId, NewStartingHashKey }),
    );
  } finally {
    kinesis.destroy();
  }
}
