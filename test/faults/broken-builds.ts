import type { BrokenBuild } from "./broken-build";
import { BROKEN_DATABASES } from "./broken-database";

/** At least one build for each guarantee, without the mechanism that keeps it. */
export const BROKEN_BUILDS: readonly BrokenBuild[] = [
  ...BROKEN_DATABASES,
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
