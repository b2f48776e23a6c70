import type { Guarantee } from "../verdict/guarantees";

/** Replaces one text of a compiled file. */
export interface Edit {
  /** Below dist/. */
  file: string;
  /** Must occur exactly once. */
  find: string;
  replace: string;
}

/** A build with an intentional mistake, which the verdict must find. */
export interface BrokenBuild {
  name: string;
  /** The guarantees that the mistake breaks: the verdict must name one of them, and may name others. */
  breaks: readonly Guarantee[];
  edits: readonly Edit[];
}

/** At least one build for each guarantee, without the mechanism that keeps it. */
export const BROKEN_BUILDS: readonly BrokenBuild[] = [
  {
    name: "no guard: a change without an outbox row is committed",
    breaks: ["ONE_EVENT_PER_CHANGE"],
    edits: [
      {
        file: "runtime/postgres/migrations/0006_guard_lives.js",
        find: "order by public.is_this_transaction(xmin) desc limit 1;",
        replace: "order by public.is_this_transaction(xmin) desc limit 1; if not found then return; end if;",
      },
    ],
  },
  {
    name: "no check of events: one without its change is committed",
    breaks: ["ONE_EVENT_PER_CHANGE"],
    edits: [
      {
        file: "runtime/postgres/migrations/0007_truthful_events.js",
        find: "enable always trigger outbox_check;",
        replace: "disable trigger outbox_check;",
      },
    ],
  },
  {
    name: "the check of events compares the version and not the state",
    breaks: ["ONE_EVENT_PER_CHANGE"],
    edits: [
      {
        file: "runtime/postgres/migrations/0007_truthful_events.js",
        find: "(%6$s) and new.payload -> 'state' = %7$s;",
        replace: "(%6$s);",
      },
    ],
  },
  {
    name: "the check of events takes a state that says more than the row",
    breaks: ["NOTHING_PRIVATE_LEAVES"],
    edits: [
      {
        file: "runtime/postgres/migrations/0007_truthful_events.js",
        find: "if state = event.payload -> 'state' then",
        replace: "if event.payload -> 'state' @> state then",
      },
    ],
  },
  {
    name: "the check of events takes any type",
    breaks: ["ONE_EVENT_PER_CHANGE"],
    edits: [
      {
        file: "runtime/postgres/migrations/0007_truthful_events.js",
        find: "(new.type, new.schema_version) in (%6$s) and new.payload -> 'state'",
        replace: "new.payload -> 'state'",
      },
    ],
  },
  {
    name: "the check of events takes aggregates that no table holds",
    breaks: ["ONE_EVENT_PER_CHANGE"],
    edits: [
      {
        file: "runtime/postgres/migrations/0007_truthful_events.js",
        find: "select * into guarded from public.guarded_tables where aggregate = event.aggregate;",
        replace:
          "select * into guarded from public.guarded_tables where aggregate = event.aggregate; if not found then return; end if;",
      },
    ],
  },
  {
    name: "the check of events takes versions that the row has passed",
    breaks: ["EVERY_EVENT_PUBLISHED"],
    edits: [
      {
        file: "runtime/postgres/migrations/0007_truthful_events.js",
        find: "if found_version <> event.aggregate_version then",
        replace: "if found_version < event.aggregate_version then",
      },
    ],
  },
  {
    name: "non-atomic outbox: the entity and its event are two writes",
    breaks: ["ONE_EVENT_PER_CHANGE"],
    edits: [
      {
        file: "runtime/dynamodb/commit.js",
        find: "TransactWriteCommand(input));",
        replace: `TransactWriteCommand({ TransactItems: input.TransactItems.filter((action) => action.Put.TableName !== tables.outbox) }));
          const events = input.TransactItems.filter((action) => action.Put.TableName === tables.outbox);
          if (events.length > 0) await documents.send(new lib_dynamodb_1.TransactWriteCommand({ TransactItems: events }));`,
      },
    ],
  },
  {
    name: "events one version behind",
    breaks: ["ONE_EVENT_PER_CHANGE"],
    edits: [
      {
        file: "runtime/dynamodb/writes.js",
        find: "aggregateVersion: version,",
        replace: "aggregateVersion: version > 1 ? version + 1 : version,",
      },
    ],
  },
  {
    name: "lost updates: the version that was read is not checked",
    breaks: ["VERSIONS_WITHOUT_GAPS"],
    edits: [
      {
        file: "runtime/dynamodb/writes.js",
        find: '"#version = :version"',
        replace: '"#version = :version OR #version <> :version"',
      },
      {
        file: "runtime/dynamodb/writes.js",
        find: 'ConditionExpression: "attribute_not_exists(aggregateVersion)",',
        replace: "",
      },
    ],
  },
  {
    name: "a later event overtakes a failed one of its aggregate",
    breaks: ["EVERY_EVENT_PUBLISHED"],
    edits: [{ file: "runtime/relay/publish.js", find: "passed.add(publication.orderingKey);", replace: "" }],
  },
  {
    name: "ignored FailedEntryCount",
    breaks: ["EVERY_EVENT_PUBLISHED"],
    edits: [
      {
        file: "runtime/relay/publish.js",
        find: "if (result?.EventId && !result.ErrorCode)",
        replace: "if (true)",
      },
    ],
  },
  {
    name: "checkpoint past a failure: the relay gives up at the first one and reports none",
    breaks: ["EVERY_EVENT_PUBLISHED"],
    edits: [
      {
        file: "runtime/relay/publish.js",
        find: "maxFailedRounds = publish_failure_1.MAX_FAILED_ROUNDS",
        replace: "maxFailedRounds = 1",
      },
      {
        file: "runtime/relay/relay-batch.js",
        find: "batchItemFailures: first ? [{ itemIdentifier: first.sequenceNumber }] : []",
        replace: "batchItemFailures: []",
      },
    ],
  },
  {
    name: "no partial batch response of projections",
    breaks: ["EVERY_EVENT_REACHES_ITS_SUBSCRIBERS", "PROJECTION_EQUALS_SOURCE"],
    edits: [
      { file: "runtime/projection/handler.js", find: "return folded.messageIds;", replace: "return [];" },
    ],
  },
  {
    name: "no version gate",
    breaks: ["PROJECTION_EQUALS_SOURCE"],
    edits: [
      {
        file: "runtime/projection/table.js",
        find: '"attribute_not_exists(#version) OR #version < :version"',
        replace: '"attribute_not_exists(#version) OR #version < :version OR #version >= :version"',
      },
    ],
  },
  {
    name: "a batch is folded to the oldest version",
    breaks: ["PROJECTION_EQUALS_SOURCE"],
    edits: [
      {
        file: "runtime/projection/handler.js",
        find: "item.version > known.newest.version",
        replace: "item.version < known.newest.version",
      },
    ],
  },
  {
    name: "tombstone left out",
    breaks: ["GONE_IN_PROJECTIONS"],
    edits: [
      {
        file: "runtime/projection/handler.js",
        find: "await (0, time_left_1.inTime)(milliseconds, (0, table_1",
        replace: "if (folded.newest.fields) await (0, time_left_1.inTime)(milliseconds, (0, table_1",
      },
    ],
  },
  {
    name: "no inbox of reactions",
    breaks: ["REACTION_ONCE"],
    edits: [
      { file: "runtime/reaction/handler.js", find: "once: { consumer, messageId: event.id },", replace: "" },
    ],
  },
  {
    name: "a reaction that lost its race counts as done",
    breaks: ["EVERY_EVENT_REACHES_ITS_SUBSCRIBERS"],
    edits: [
      {
        file: "runtime/store/retries.js",
        find: 'if (result.outcome !== "conflict")',
        replace: "if (result.outcome)",
      },
      { file: "runtime/reaction/handler.js", find: 'outcome === "conflict"', replace: "false" },
    ],
  },
  {
    name: "a reaction that failed counts as done",
    breaks: ["EVERY_EVENT_REACHES_ITS_SUBSCRIBERS"],
    edits: [{ file: "runtime/reaction/handler.js", find: "failed.push(messageId);", replace: "" }],
  },
  {
    name: "no inbox of requests",
    breaks: ["COMMANDS_TOLD_TRULY"],
    edits: [
      {
        file: "runtime/command/handler.js",
        find: "answerAsNew(domain, commands, store, given, once)",
        replace: "answerAsNew(domain, commands, store, given, undefined)",
      },
    ],
  },
  {
    name: "a request that was done is rejected when it is sent again",
    breaks: ["COMMANDS_TOLD_TRULY"],
    edits: [
      {
        file: "runtime/command/handler.js",
        find: "return (await repeated()) ?? answer;",
        replace: "return answer;",
      },
    ],
  },
  {
    name: "a creation of what exists is a conflict",
    breaks: ["COMMANDS_TOLD_TRULY"],
    edits: [
      {
        file: "runtime/store/retries.js",
        find: "(0, handles_1.existsRejection)(result) ?? result",
        replace: "result",
      },
    ],
  },
  {
    name: "private fields in events",
    breaks: ["NOTHING_PRIVATE_LEAVES"],
    edits: [
      {
        file: "runtime/dynamodb/writes.js",
        find: 'staged.operation === "remove" ? null : ((0, validation_1.stateOf)(definition, fields)',
        replace: 'staged.operation === "remove" ? null : (fields',
      },
    ],
  },
  {
    name: "JSON is published as its column holds it",
    breaks: ["NOTHING_PRIVATE_LEAVES"],
    edits: [
      {
        file: "runtime/postgres/json.js",
        find: "return `public.carry_json(${column}, ${(0, pg_1.escapeLiteral)(JSON.stringify(shape))})`;",
        replace: "return column;",
      },
    ],
  },
  {
    name: "undecodable records are dropped",
    breaks: ["QUARANTINED_WITH_PAYLOAD"],
    edits: [
      {
        file: "runtime/relay/quarantine-record.js",
        find: "await (0, quarantine_1.quarantine)(",
        replace: "void (",
      },
    ],
  },
  {
    name: "a relay publishes types that no contract has",
    breaks: ["EVERY_EVENT_PUBLISHED"],
    edits: [
      {
        file: "runtime/relay/known-events.js",
        find: "if (known[aggregate]?.includes(type))",
        replace: "if (true)",
      },
    ],
  },
  {
    name: "a relay does not respect its holds",
    breaks: ["EVERY_EVENT_PUBLISHED"],
    edits: [
      {
        file: "runtime/relay/relay-batch.js",
        find: "(0, plan_batch_1.inOrder)(planned, holds)",
        replace: "(0, plan_batch_1.inOrder)(planned, new Map())",
      },
    ],
  },
  {
    name: "no rules for types that a domain does not have",
    breaks: ["QUARANTINED_WITH_PAYLOAD"],
    edits: [
      {
        file: "components/unclaimed-events.js",
        find: "...domains\n            .map(",
        replace: "...[]\n            .map(",
      },
    ],
  },
  {
    name: "a connection that cannot do its work stays in the pool",
    breaks: ["COMMANDS_TOLD_TRULY", "EVERY_EVENT_REACHES_ITS_SUBSCRIBERS"],
    edits: [
      { file: "runtime/postgres/connections.js", find: "void client.end().catch(() => { });", replace: ";" },
    ],
  },
  {
    name: "a slow message takes the time of its batch",
    breaks: ["EVERY_EVENT_REACHES_ITS_SUBSCRIBERS"],
    edits: [
      {
        file: "runtime/reaction/handler.js",
        find: "(context.getRemainingTimeInMillis(), handled.length - index)",
        replace: "(context.getRemainingTimeInMillis(), 1)",
      },
    ],
  },
];
