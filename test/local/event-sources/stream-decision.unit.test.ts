import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decideStreamBatch,
  splitExpired,
  type Attempt,
  type StreamBatch,
  type StreamRules,
} from "../../../dist/local/event-sources/stream-decision.js";

const RULES: StreamRules = {
  reportBatchItemFailures: true,
  bisectBatchOnFunctionError: false,
  maximumRetryAttempts: Infinity,
};
const same = (record: string): string => record;
const batchOf = (records: string, failures = 0, invocations = 0): StreamBatch<string> => ({
  records: [...records],
  failures,
  invocations,
});
const failed = (...identifiers: string[]): Attempt => ({
  kind: "answered",
  response: { batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })) },
});
const ERROR: Attempt = { kind: "functionError", reason: "Error: no" };

test("an answer without failures completes the batch", () => {
  const decision = decideStreamBatch(batchOf("abc"), { kind: "answered", response: null }, RULES, same);
  expect(decision).toEqual({ completed: ["a", "b", "c"], discarded: [], retry: [] });
});

test("without ReportBatchItemFailures the answer says nothing", () => {
  const rules = { ...RULES, reportBatchItemFailures: false };
  expect(decideStreamBatch(batchOf("abc"), failed("a"), rules, same).completed).toEqual(["a", "b", "c"]);
});

test("everything from the lowest reported record on is retried, though later ones succeeded", () => {
  const decision = decideStreamBatch(batchOf("abcd"), failed("d", "b"), RULES, same);
  expect(decision).toMatchObject({
    completed: ["a"],
    discarded: [],
    retry: [{ records: ["b", "c", "d"], failures: 1, invocations: 1 }],
  });
});

test.each([
  ["a function error", ERROR],
  ["a malformed answer", failed("")],
  ["an unknown identifier", failed("z")],
])("%s retries the whole batch", (_, attempt) => {
  const decision = decideStreamBatch(batchOf("abc", 2, 5), attempt, RULES, same);
  expect(decision).toMatchObject({
    completed: [],
    discarded: [],
    retry: [{ records: ["a", "b", "c"], failures: 3, invocations: 6 }],
  });
});

test("a batch is given up when its failures exceed the retry attempts", () => {
  const rules = { ...RULES, maximumRetryAttempts: 2 };
  expect(decideStreamBatch(batchOf("abc", 1, 1), ERROR, rules, same).retry).toHaveLength(1);
  expect(decideStreamBatch(batchOf("abc", 2, 2), ERROR, rules, same)).toMatchObject({
    completed: [],
    discarded: ["a", "b", "c"],
    retry: [],
  });
});

test("with no retry attempts the rest is given up after the first failure", () => {
  const rules = { ...RULES, maximumRetryAttempts: 0 };
  expect(decideStreamBatch(batchOf("abc"), failed("b"), rules, same)).toMatchObject({
    completed: ["a"],
    discarded: ["b", "c"],
    retry: [],
  });
});

test("progress starts the count of failures anew", () => {
  const rules = { ...RULES, maximumRetryAttempts: 2 };
  expect(decideStreamBatch(batchOf("abc", 2, 2), failed("b"), rules, same)).toMatchObject({
    completed: ["a"],
    retry: [{ records: ["b", "c"], failures: 1 }],
  });
});

test("bisecting halves a failed batch, without counting a retry", () => {
  const rules = { ...RULES, bisectBatchOnFunctionError: true, maximumRetryAttempts: 0 };
  expect(decideStreamBatch(batchOf("abcde"), ERROR, rules, same)).toMatchObject({
    completed: [],
    discarded: [],
    retry: [
      { records: ["a", "b", "c"], failures: 0 },
      { records: ["d", "e"], failures: 0 },
    ],
  });
});

test("bisecting also halves when the answers of the function are not asked for", () => {
  const rules = { ...RULES, bisectBatchOnFunctionError: true, reportBatchItemFailures: false };
  expect(decideStreamBatch(batchOf("ab"), ERROR, rules, same).retry).toHaveLength(2);
});

test("with a partial answer the batch is split at the reported record, without counting a retry", () => {
  const rules = { ...RULES, bisectBatchOnFunctionError: true, maximumRetryAttempts: 0 };
  expect(decideStreamBatch(batchOf("abcd"), failed("c"), rules, same)).toMatchObject({
    completed: ["a", "b"],
    discarded: [],
    retry: [{ records: ["c", "d"], failures: 0 }],
  });
});

test("where the first record is the reported one, the batch is halved, so that it ends up alone", () => {
  const rules = { ...RULES, bisectBatchOnFunctionError: true };
  expect(
    decideStreamBatch(batchOf("abcd"), failed("a"), rules, same).retry.map(({ records }) => records),
  ).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
});

test("a single record is not split: it is retried and then given up", () => {
  const rules = { ...RULES, bisectBatchOnFunctionError: true, maximumRetryAttempts: 1 };
  expect(decideStreamBatch(batchOf("a"), ERROR, rules, same).retry).toMatchObject([
    { records: ["a"], failures: 1 },
  ]);
  expect(decideStreamBatch(batchOf("a", 1), ERROR, rules, same).discarded).toEqual(["a"]);
});

const rulesArbitrary = fc.record({
  reportBatchItemFailures: fc.boolean(),
  bisectBatchOnFunctionError: fc.boolean(),
  maximumRetryAttempts: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(Infinity)),
});
const identifiers = ["0", "1", "2", "3", "4", "5", "6", "7", "", "unknown"];
const attemptArbitrary: fc.Arbitrary<Attempt> = fc.oneof(
  fc.constant(ERROR),
  fc.constant<Attempt>({ kind: "answered", response: undefined }),
  fc.subarray(identifiers).map((some) => failed(...some)),
);

test("whatever the answer, every record is completed, given up or retried, once and in order", () => {
  const arbitraries = [fc.integer({ min: 1, max: 8 }), fc.nat(5), attemptArbitrary, rulesArbitrary] as const;
  fc.assert(
    fc.property(...arbitraries, (length, failures, attempt, rules) => {
      const records = identifiers.slice(0, length);
      const decision = decideStreamBatch({ records, failures, invocations: failures }, attempt, rules, same);
      const retried = decision.retry.flatMap((batch) => batch.records);
      expect([...decision.completed, ...decision.discarded, ...retried]).toEqual(records);
      expect(decision.retry.every((batch) => batch.records.length > 0)).toBe(true);
      if (rules.maximumRetryAttempts === Infinity) expect(decision.discarded).toEqual([]);
    }),
  );
});

/** Plays the decisions to their end against a function that never gets over some records. */
function play(length: number, poisoned: readonly string[], rules: StreamRules, throws: boolean) {
  let pending: readonly StreamBatch<string>[] = [batchOf("01234567".slice(0, length))];
  const completed: string[] = [];
  const discarded: string[] = [];
  let invocations = 0;
  for (let next = pending[0]; next; next = pending[0]) {
    invocations += 1;
    const bad = next.records.filter((record) => poisoned.includes(record));
    const attempt = bad.length > 0 && throws ? ERROR : failed(...bad);
    const decision = decideStreamBatch(next, attempt, rules, same);
    completed.push(...decision.completed);
    discarded.push(...decision.discarded);
    pending = [...decision.retry, ...pending.slice(1)];
    if (invocations > 500) break;
  }
  return { completed, discarded, invocations };
}

test("with bisecting and limited retries, only the poisoned records are given up", () => {
  const poison = fc.subarray([..."01234567"]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      poison,
      fc.nat(3),
      fc.boolean(),
      (length, poisoned, retries, throws) => {
        const rules = { ...RULES, bisectBatchOnFunctionError: true, maximumRetryAttempts: retries };
        const all = [..."01234567".slice(0, length)];
        const { completed, discarded } = play(length, poisoned, rules, throws);
        expect(discarded).toEqual(all.filter((record) => poisoned.includes(record)));
        expect(completed).toEqual(all.filter((record) => !poisoned.includes(record)));
      },
    ),
  );
});

test("with unlimited retries a poisoned record holds up what comes after it, and nothing else", () => {
  const rules = { ...RULES, bisectBatchOnFunctionError: true };
  const { completed, discarded, invocations } = play(6, ["2"], rules, true);
  expect({ completed, discarded }).toEqual({ completed: ["0", "1"], discarded: [] });
  expect(invocations).toBeGreaterThan(500);
});

test("only the records at the front that are too old are expired", () => {
  const records = [100, 200, 900, 300].map((arrivedAt) => ({ arrivedAt }));
  expect(splitExpired(records, 1000, 500)).toEqual({
    expired: [{ arrivedAt: 100 }, { arrivedAt: 200 }],
    live: [{ arrivedAt: 900 }, { arrivedAt: 300 }],
  });
  expect(splitExpired(records, 1000, 100).live).toEqual([{ arrivedAt: 900 }, { arrivedAt: 300 }]);
  expect(splitExpired(records, 9000, 100).live).toEqual([]);
  expect(splitExpired(records, 9000, Infinity).expired).toEqual([]);
});
