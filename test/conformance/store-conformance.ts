import { describeRaces } from "./outbox-races";
import { describeRefusals } from "./outbox-refusals";
import { describeWrites } from "./outbox-writes";
import { describeRepeatedRequests } from "./repeated-requests";
import { type Bank, bankOf, type StoreUnderTest } from "./store-under-test";
import { describeStory } from "./story";
import { describeVerbs } from "./verbs";

type MakeStore = () => StoreUnderTest | Promise<StoreUnderTest>;

/**
 * Tests what every store must do. Call this once in a test file of the store.
 *
 * @param name the store, for titles
 * @param makeStore opens the store; called once, before its first test
 */
export function storeConformance(name: string, makeStore: MakeStore): void {
  const bank = outboxConformance(name, makeStore);
  describeVerbs(name, bank);
  describeStory(name, bank);
  describeRepeatedRequests(name, bank);
}

/** The tests for every way to describe a change: the change and its event are written, or neither is. */
export function outboxConformance(name: string, makeStore: MakeStore): Bank {
  const bank = bankOf(makeStore);
  describeWrites(name, bank);
  describeRefusals(name, bank);
  describeRaces(name, bank);
  return bank;
}
