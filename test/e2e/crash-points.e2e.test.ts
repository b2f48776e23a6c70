import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type CrashPointsResult,
  runCrashPoints,
} from "../../dist/test/faults/crash-points/run-crash-points.js";
import { CRASH_SCENARIO } from "../../dist/test/fixtures/scenario.js";
import { FIXTURE_DOMAINS } from "../../dist/test/fixtures/source.js";

const PROJECT_ROOT = join(__dirname, "..", "..");

let result: CrashPointsResult;
beforeAll(async () => {
  result = await runCrashPoints(PROJECT_ROOT, FIXTURE_DOMAINS, CRASH_SCENARIO);
});

test("every guarantee holds after each step's process was killed between every two of its side effects", async ({
  annotate,
}) => {
  await annotate(`${result.struck.length} crash points:\n${result.struck.toSorted().join("\n")}`);
  expect(result.findings).toEqual([]);
});

test("every place that a step came to without faults is a crash point; what comes together by chance may be missed", () => {
  expect(result.missed.filter((point) => !point.endsWith(", again"))).toEqual([]);
});

describe("processes were killed before and after", () => {
  test.each([
    [
      "the single statement of a command",
      "members-commands joinLibrary",
      "insert into members, with its event",
    ],
    [
      "the single statement of a removal",
      "members-commands leaveLibrary",
      "delete from members, with its event",
    ],
    ["the begin of a transaction", "members-commands moveMember", "begin"],
    ["the inbox record in a transaction", "members-commands moveMember", "insert into inbox"],
    ["the commit of a transaction", "members-commands moveMember", "commit"],
    ["the first of several changes", "members-commands renameCity", "update members, with its event"],
    ["the transaction of a microservice's command", "loans-commands lendBook", "TransactWriteItems"],
    ["capture's records", "capture", "its records are put on the stream"],
    ["PutEvents of the monolith's relay", "monolith-relay", "PutEvents"],
    ["its second PutEvents, with a later event of the same aggregate", "monolith-relay", "PutEvents, again"],
    ["its message to the quarantine", "monolith-relay", "SendMessage"],
    ["PutEvents of a microservice's relay", "loans-relay", "PutEvents"],
    ["the write of a microservice's projection", "loans-on-members", "PutItem loans-members-projection"],
    ["the write of a module's projection", "members-on-loans", "PutItem members-loans-projection"],
    ["the statement of a reaction in the monolith", "members-on-counted", "update members, with its event"],
    ["the transaction of a microservice's reaction", "loans-on-leavers", "TransactWriteItems"],
    ["the first batch that retention removes", "monolith-retention", "delete from inbox"],
    ["the second batch that retention removes", "monolith-retention", "delete from inbox, again"],
  ])("%s", (_what, step, sideEffect) => {
    expect(result.struck).toContain(`${step}: killed before ${sideEffect}`);
    expect(result.struck).toContain(`${step}: killed after ${sideEffect}`);
  });

  test("reads that a decision rests on, which leave nothing behind", () => {
    expect(result.struck).toContain(
      "loans-commands lendBook: killed before GetItem loans-members-projection",
    );
    expect(result.struck).toContain("members-on-counted: killed before select members");
    expect(result.struck).toContain(
      "members-commands leaveLibrary: killed before Query members-loans-projection",
    );
  });
});

test("a database that was killed after capture had acknowledged has its events captured again", () => {
  expect(result.capturedAgain).toBeGreaterThan(0);
});
