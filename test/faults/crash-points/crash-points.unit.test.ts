import { expect, test } from "vitest";
import {
  type CrashPoints,
  describeCrashPoint,
  openCrashPoints,
} from "../../../dist/test/faults/crash-points/crash-points.js";
import {
  isRead,
  sideEffectOfCall,
  sideEffectOfStatement,
} from "../../../dist/test/faults/crash-points/side-effects.js";

/** Runs a step until it is killed. @returns the decision at each side effect */
function run(points: CrashPoints, step: string, ...sideEffects: string[]) {
  points.begins(step);
  const decisions: (string | undefined)[] = [];
  for (const sideEffect of sideEffects) {
    decisions.push(points.reaches(step, sideEffect));
    if (decisions.at(-1)) break;
  }
  return decisions;
}

test("no step is killed while the crash points are collected", () => {
  const points = openCrashPoints();
  expect(run(points, "relay", "PutEvents", "PutEvents", "PutEvents")).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(points.left().map(describeCrashPoint)).toEqual([
    "relay: killed before PutEvents",
    "relay: killed after PutEvents",
    "relay: killed before PutEvents, again",
    "relay: killed after PutEvents, again",
  ]);
});

test("a step is killed once at each crash point that was seen, and continues when none is left", () => {
  const points = openCrashPoints();
  const calls = ["GetItem orders", "TransactWriteItems"];
  run(points, "command", ...calls);
  points.arm();
  expect(run(points, "command", ...calls)).toEqual(["before"]);
  expect(run(points, "command", ...calls)).toEqual([undefined, "before"]);
  expect(run(points, "command", ...calls)).toEqual([undefined, "after"]);
  expect(points.left()).toEqual([]);
  points.newRound();
  expect(run(points, "command", ...calls)).toEqual([undefined, undefined]);
  expect(points.struck().map(describeCrashPoint)).toEqual([
    "command: killed before GetItem orders",
    "command: killed before TransactWriteItems",
    "command: killed after TransactWriteItems",
  ]);
});

test("a step is killed at most three times per round, so that a queue still delivers its messages", () => {
  const points = openCrashPoints();
  const calls = ["PutItem a", "PutItem b"];
  run(points, "projection", ...calls);
  points.arm();
  for (let time = 1; time <= 3; time += 1) expect(run(points, "projection", ...calls).at(-1)).toBeDefined();
  expect(run(points, "projection", ...calls)).toEqual([undefined, undefined]);
  points.newRound();
  expect(run(points, "projection", ...calls)).toEqual([undefined, "after"]);
});

test("what other steps do does not count", () => {
  const points = openCrashPoints();
  run(points, "one", "PutEvents");
  points.arm();
  expect(run(points, "other", "PutEvents")).toEqual([undefined]);
});

test.each([
  ["begin", "begin"],
  ['select * from "customers" where "customer_id" = $1', "select customers"],
  [
    'with changed as (insert into "customers" ("city") values ($1) returning "city"), raised as (\n insert into outbox',
    "insert into customers, with its event",
  ],
  ['with changed as (update "products" set "stock" = $1', "update products, with its event"],
  ["with old as (select id from outbox), gone as (delete from outbox using old", "delete from outbox"],
  ['insert into "inbox" ("consumer") values ($1)', "insert into inbox"],
])("the statement %s is described as %s", (text, described) => {
  expect(sideEffectOfStatement(text)).toBe(described);
});

test("an AWS call is described by its operation and the table's logical name", () => {
  const call = (target: string, body: object) =>
    sideEffectOfCall({ target, body: Buffer.from(JSON.stringify(body)) });
  expect(call("DynamoDB_20120810.PutItem", { TableName: "orders-customers-projection-1a2b3c4" })).toBe(
    "PutItem orders-customers-projection",
  );
  expect(call("DynamoDB_20120810.TransactWriteItems", { TransactItems: [] })).toBe("TransactWriteItems");
  expect(call("AmazonSQS.SendMessage", {})).toBe("SendMessage");
});

test("only what leaves nothing behind is a read", () => {
  const reads = ["GetItem orders-table", "Query orders-table", "GetSecretValue", "select customers"];
  const writes = ["TransactWriteItems", "begin", "insert into inbox", "commit", "SendMessage", "selected"];
  expect([...reads, ...writes].filter(isRead)).toEqual(reads);
});

test("a crash point that one round came to by chance may be missed, one of two rounds may not", () => {
  const points = openCrashPoints();
  points.newRound();
  run(points, "command", "begin", "rollback");
  points.newRound();
  run(points, "command", "begin");
  points.arm();
  expect(points.left()).toHaveLength(4);
  expect(points.missed().map(describeCrashPoint)).toEqual([
    "command: killed before begin",
    "command: killed after begin",
  ]);
});
