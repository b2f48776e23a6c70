import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Environment } from "../function/environment";
import type { Handler } from "../function/handler";
import type { RelayTargets } from "./relay-batch";

/** The variables that name the targets. */
export const RELAY_VARIABLES = ["EVENT_BUS_NAME", "QUARANTINE_QUEUE_URL"] as const;
type RelayVariable = (typeof RELAY_VARIABLES)[number];
/** A handler that relays. */
export type RelayHandler = Handler<RelayVariable>;

/** The targets of this function, as its environment names them. */
export function relayTargets(environment: Environment<RelayVariable>): RelayTargets {
  return {
    events: new EventBridgeClient({}),
    queues: new SQSClient({}),
    eventBus: environment.EVENT_BUS_NAME,
    quarantineQueue: environment.QUARANTINE_QUEUE_URL,
  };
}
