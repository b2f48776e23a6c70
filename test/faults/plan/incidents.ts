import { KinesisClient, ListShardsCommand, SplitShardCommand } from "@aws-sdk/client-kinesis";
import { codedError } from "../../../runtime/function/coded-error";
import type { LocalSystem } from "../../../local/system/system";
import type { FaultKind } from "./fault-kinds";
import type { FaultSchedule } from "./fault-schedule";
import type { Poisoner } from "../poison";
import { randomStream } from "./random";
import type { Gate } from "../writers/gate";

/** An incident is a fault that happens at a point of the run and not at a call. */
export interface Incident {
  kind: FaultKind;
  /** Happens when so many operations were begun. */
  atOperation: number;
}

const OPERATIONS_PER_POISON = 150;
/** Servers that go down in a run, and shards that are split. */
const KILLS = 2;
const RESTARTS = 1;
const SPLITS = 1;

/** Plans the incidents of a seed over so many operations, in their order. */
export function planIncidents(seed: number, operations: number): Incident[] {
  const random = randomStream(seed, "incidents");
  const poisons = Math.max(1, Math.floor(operations / OPERATIONS_PER_POISON));
  const kinds: FaultKind[] = [
    ...Array.from({ length: poisons }, (): FaultKind => random.pick(["record undecodable", "event refused"])),
    ...Array.from({ length: KILLS }, (): FaultKind => "PostgreSQL killed"),
    ...Array.from({ length: RESTARTS }, (): FaultKind => "emulator restarted"),
    ...Array.from({ length: SPLITS }, (): FaultKind => "shard split"),
  ];
  return kinds
    .map((kind) => ({ kind, atOperation: random.between(1, operations) }))
    .sort((one, other) => one.atOperation - other.atOperation);
}

/** What incidents happen to. */
export interface Scene {
  system: LocalSystem;
  schedule: FaultSchedule;
  poisoner: Poisoner;
  writers: Gate;
  /** Reads what the emulator would forget. */
  beforeRestart: () => Promise<void>;
}

/** Makes an incident happen, and resolves when the servers are up again. */
export async function happen({ kind }: Incident, scene: Scene): Promise<void> {
  const { system, poisoner, schedule, beforeRestart } = scene;
  switch (kind) {
    case "PostgreSQL killed":
      await system.servers.postgres.restart("kill");
      break;
    case "emulator restarted":
      // It forgets the records of DynamoDB streams, which AWS would not. Writers go on as soon as it is down.
      await inQuiet(scene, async (letGo) => {
        await beforeRestart();
        await system.servers.emulator.restart(letGo);
      });
      break;
    case "shard split":
      // The emulator drops the split shard with what nobody has read, which AWS keeps until it is read.
      await inQuiet(scene, () => splitShard(system));
      break;
    case "record undecodable":
      await poisoner.undecodableRecord();
      break;
    case "event refused":
      await poisoner.refusedEvent();
      break;
    default:
      throw codedError("INCIDENT_UNKNOWN", `"${kind}" is no incident: it strikes at a call.`);
  }
  schedule.count(kind);
}

/** Holds the writers and the faults, waits until all has arrived, and lets go after the action, or when it says so itself. */
async function inQuiet(
  { system, schedule, writers }: Scene,
  action: (letGo: () => void) => Promise<void>,
): Promise<void> {
  const openAgain = await writers.close();
  schedule.pause();
  const letGo = (): void => {
    schedule.resume();
    openAgain();
  };
  try {
    await system.flow.settled();
    await action(letGo);
  } finally {
    letGo();
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
