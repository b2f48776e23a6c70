import type { BrokenBuild } from "./broken-build";

const CHECK_OF_EVENTS = "runtime/postgres/migrations/0007_truthful_events.js";

/** Builds whose database lets writers do what it must refuse; attacks.ts tries it. */
export const BROKEN_DATABASES: readonly BrokenBuild[] = [
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
        file: CHECK_OF_EVENTS,
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
        file: CHECK_OF_EVENTS,
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
        file: CHECK_OF_EVENTS,
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
        file: CHECK_OF_EVENTS,
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
        file: CHECK_OF_EVENTS,
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
        file: CHECK_OF_EVENTS,
        find: "if found_version <> event.aggregate_version then",
        replace: "if found_version < event.aggregate_version then",
      },
    ],
  },
];
