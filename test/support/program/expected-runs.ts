/**
 * How to run each function of any domains without databases, and the answers that it must give; derived from
 * their registration.
 */
import { expect } from "vitest";
import type { Registry } from "../../../dist/registry/load-domains.js";
import type { AnyCommand } from "../../../dist/runtime/define/command.js";
import type { AnyDomain, AnySubscription } from "../../../dist/runtime/define/domain.js";
import { cloudEvent, queueBatch } from "../domain/domain-events";
import { dynamoStreamEvent, kinesisEvent } from "../domain/outbox-records";

/** Events for a function, and the expected result of each. */
export interface ExpectedRun {
  events: unknown[];
  results: unknown[];
}

/**
 * Function -> a run of it. The stub of AWS accepts everything, holds no data, and its secrets are not
 * credentials.
 */
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

/** An unknown command, and each known command with an input that its schema refuses. */
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

/** An input that a command refuses; undefined for a command that accepts any input. */
function refusedInput({ input }: AnyCommand): { input: unknown } | undefined {
  const candidates: unknown[] = [5, "text", null, {}];
  const schema = input();
  return candidates
    .map((candidate) => ({ input: candidate }))
    .find((one) => !schema.safeParse(one.input).success);
}

/**
 * A message that is not an event, and an event that needs no database: a removal, or of a type without a
 * reaction.
 */
function subscriptionRun(subscription: AnySubscription): ExpectedRun {
  const { aggregate } = subscription;
  const type = subscription.kind === "project" ? (Object.keys(aggregate.events)[0] ?? "") : "NotReactedTo";
  const event = cloudEvent({ aggregate: aggregate.name, type, data: { change: {}, state: null } });
  return {
    events: [queueBatch(["not JSON", event])],
    results: [{ batchItemFailures: [{ itemIdentifier: "m1" }] }],
  };
}
