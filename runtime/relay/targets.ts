import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SQSClient } from "@aws-sdk/client-sqs";
import { ENVIRONMENT, requiredVariable } from "../function/environment";
import type { RelayTargets } from "./relay-batch";

/** The targets of this function, as its environment names them. */
export function relayTargets(): RelayTargets {
  return {
    events: new EventBridgeClient({}),
    queues: new SQSClient({}),
    eventBus: requiredVariable(ENVIRONMENT.eventBus),
    quarantineQueue: requiredVariable(ENVIRONMENT.quarantineQueue),
  };
}
