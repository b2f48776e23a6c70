/** The outbox, the only table that is captured. */
const OUTBOX = { "schema-name": "public", "table-name": "outbox" };

/**
 * Which tables DMS captures and how it keys their records: the outbox, by aggregate. DMS's defaults are wrong for
 * an outbox: the table's name (all events on one shard), or the primary key where it applies in parallel (an
 * aggregate's events on several). Source: AWS DMS user guide, "Using object mapping to migrate data to a Kinesis
 * data stream".
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

/** KiB of a payload that DMS reads; the outbox takes 240 KiB, and DMS counts up to four bytes a character. */
const MAX_LOB_KIBIBYTES = 1024;

/**
 * How the task works: one thread (more may break the order within a key), limited LOBs (Kinesis accepts no others)
 * that fail instead of truncating, no batches (they may lose data), a log.
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
