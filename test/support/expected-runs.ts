/**
 * How to run each function of any domains without their databases, and what it must answer: derived from what they
 * register.
 */
import { expect } from "vitest";
import type { Registry } from "../../dist/registry/load-domains.js";
import type { AnyCommand } from "../../dist/runtime/define/command.js";
import type { AnyDomain, AnySubscription } from "../../dist/runtime/define/domain.js";
import { cloudEvent, queueBatch } from "./domain-events";
import { dynamoStreamEvent, kinesisEvent } from "./outbox-records";

/** Events for a function, and what each result must match. */
export interface ExpectedRun {
  events: unknown[];
  results: unknown[];
}

/** Function -> a run of it. AWS accepts everything, knows nothing, and has secrets that are not credentials. */
export function expectedRuns({ all, microservices }: Registry): Record<string, ExpectedRun> {
  const relayed = { batchItemFailures: [] };
  const notAnEvent = dynamoStreamEvent([{ eventName: "INSERT", NewImage: {} }]);
  return {
    "monolith-relay": { events: [kinesisEvent(["not JSON"])], results: [relayed] },
    "monolith-retention": { events: [{}], results: [{ thrown: "DATABASE_SECRET_MALFORMED" }] },
    ...Object.fromEntries(
      microservices.map(({ name }) => [`${name}-relay`, { events: [notAnEvent], results: [relayed] }]),
    ),
    ...Object.fromEntries(all.map((domain) => [`${domain.name}-commands`, commandsRun(domain)])),
    ...Object.fromEntries(
      all.flatMap(({ name, subscriptions }) =>
        Object.entries(subscriptions).map(([subscription, registered]) => [
          `${name}-on-${subscription}`,
          subscriptionRun(registered),
        ]),
      ),
    ),
  };
}

/** A command that does not exist, and each that does with an input that its schema refuses. */
function commandsRun({ name, commands }: AnyDomain): ExpectedRun {
  const refused = Object.entries(commands).flatMap(([command, definition]) => {
    const wrong = refusedInput(definition);
    return wrong ? [{ command, input: wrong.input }] : [];
  });
  return {
    events: [{ command: "no such command", input: {} }, ...refused],
    results: [
      {
        outcome: "invalid",
        message: expect.stringContaining(`The domain "${name}" has no command`) as string,
      },
      ...refused.map(({ command }) => ({
        outcome: "invalid",
        message: expect.stringContaining(`The input of "${command}" is not valid`) as string,
      })),
    ],
  };
}

/** An input that a command does not take; undefined for one that takes whatever comes. */
function refusedInput({ input }: AnyCommand): { input: unknown } | undefined {
  const candidates: unknown[] = [5, "text", null, {}];
  const schema = input();
  return candidates
    .map((candidate) => ({ input: candidate }))
    .find((one) => !schema.safeParse(one.input).success);
}

/** A message that is not an event, and one that is: the aggregate is gone, or was never reacted to. */
function subscriptionRun(subscription: AnySubscription): ExpectedRun {
  const { aggregate } = subscription;
  const type = subscription.kind === "project" ? (Object.keys(aggregate.events)[0] ?? "") : "NotReactedTo";
  const event = cloudEvent({ aggregate: aggregate.name, type, data: { change: {}, state: null } });
  return {
    events: [queueBatch(["not JSON", event])],
    results: [{ batchItemFailures: [{ itemIdentifier: "m1" }] }],
  };
}
