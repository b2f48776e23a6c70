import type { Context } from "aws-lambda";
import type { InvokeFunction } from "../../../dist/local/event-sources/invoke-function.js";
import { lambdaContext } from "../../support/domain/outbox-records";

/** Runs a handler in this process, in the place of the emulator's Lambda. */
export function inProcess<Event>(
  handler: (event: Event, context: Context) => Promise<unknown>,
): InvokeFunction {
  return async (payload) => {
    try {
      // What an event source makes is what Lambda hands to the handler.
      const response = await handler(structuredClone(payload) as Event, lambdaContext());
      return { kind: "answered", response: JSON.parse(JSON.stringify(response)) as unknown };
    } catch (error) {
      return { kind: "functionError", reason: String(error) };
    }
  };
}
