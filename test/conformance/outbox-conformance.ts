import { describeRaces } from "./outbox-races";
import { describeRefusals } from "./outbox-refusals";
import { bankOf, type OutboxUnderTest } from "./outbox-under-test";
import { describeWrites } from "./outbox-writes";

/**
 * What every store must do that writes changes and their events: call it once in a test file of the store.
 *
 * @param name of the store, for titles
 * @param makeStore opens it; called once, before its first test
 */
export function outboxConformance(
  name: string,
  makeStore: () => OutboxUnderTest | Promise<OutboxUnderTest>,
): void {
  const bank = bankOf(makeStore);
  describeWrites(name, bank);
  describeRefusals(name, bank);
  describeRaces(name, bank);
}
