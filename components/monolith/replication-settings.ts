import { OUTBOX_TABLE } from "../../runtime/postgres/names";

/** The outbox, the only table that is captured. */
const OUTBOX = { "schema-name": "public", "table-name": OUTBOX_TABLE };

/**
 * Which tables DMS captures and how it keys their records: the outbox, by aggregate. DMS's defaults are wrong for
 * an outbox: the table's name (all events on one shard) or, with parallel apply, the primary key (one aggregate's
 * events on several shards). Source: AWS DMS user guide, "Using object mapping to migrate data to a Kinesis data
 * stream".
 */
export function tableMappings(): object {
  return {
    rules: [
      {
        "rule-type": "selection",
        "rule-id": "1",
        "rule-name": "outbox",
        "object-locator": OUTBOX,
        "rule-action": "include",
        filters: [],
      },
      {
        "rule-type": "object-mapping",
        "rule-id": "2",
        "rule-name": "by-aggregate",
        "rule-action": "map-record-to-record",
        "object-locator": OUTBOX,
        "mapping-parameters": {
          "partition-key-type": "attribute-name",
          "partition-key-name": "aggregate_id",
        },
      },
    ],
  };
}

/** KiB of a payload that DMS reads; the outbox accepts 240 KiB, and DMS counts up to four bytes a character. */
const MAX_LOB_KIBIBYTES = 1024;

/**
 * How the task works: one thread (more may reorder the records of a key), limited LOBs (Kinesis supports no
 * others) that fail instead of truncating, no batches (they may lose data), a log. The local capture supports
 * these values only (local/capture/settings.ts).
 */
export function replicationTaskSettings(): object {
  return {
    TargetMetadata: {
      SupportLobs: true,
      FullLobMode: false,
      LimitedSizeLobMode: true,
      LobMaxSize: MAX_LOB_KIBIBYTES,
      BatchApplyEnabled: false,
      ParallelApplyThreads: 0,
    },
    Logging: { EnableLogging: true },
    ErrorBehavior: {
      DataTruncationErrorPolicy: "STOP_TASK",
      DataErrorPolicy: "STOP_TASK",
      TableErrorPolicy: "STOP_TASK",
      RecoverableErrorCount: -1,
    },
  };
}
