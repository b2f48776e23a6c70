import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeCommands, describeDomain } from "../../cli/describe";
import { microservice } from "../../runtime/define/domain";
import { project } from "../../runtime/define/project";
import { domain as loans } from "../fixtures/domains/loans/index";
import { domain as members } from "../fixtures/domains/members/index";
import { Member } from "../fixtures/domains/members/contract";
import { temporaryFolder } from "../support/process/temporary-folder";

const folder = temporaryFolder();

test("A domain is listed with its indexes, the fields that its projections keep, and what its reactions react to", () => {
  expect(describeDomain(loans, [loans, members])).toBe(
    [
      "loans (microservice)",
      "  tables         loans, indexed by memberId",
      "  events         BookLent, BookReturned, LoanForgotten",
      "  subscriptions  members (projects name, city of members.Member), indexed by city",
      "                 leavers (reacts to MemberLeft of members.Member)",
      "  commands       lendBook { loanId: uuid, memberId: uuid, title: string, shelf?: string }",
      "                 returnBook { loanId: uuid }",
      "                 returnCity { loanId: uuid, city: string }",
    ].join("\n"),
  );
});

test("Event types that no subscription receives are marked", () => {
  const events = (...all: (typeof loans | typeof members)[]) =>
    describeDomain(loans, all)
      .split("\n")
      .find((line) => line.includes("events"));
  const counted = { ...members, subscriptions: { counted: members.subscriptions["counted"]! } };
  expect(events(loans, counted)).toBe(
    "  events         BookLent, BookReturned (nobody listens), LoanForgotten (nobody listens)",
  );
  expect(events(loans)).toBe(
    "  events         BookLent (nobody listens), BookReturned (nobody listens), LoanForgotten (nobody listens)",
  );
});

test("A projection that spreads the state or computes from it is listed with all the fields it keeps", () => {
  const everything = project(Member, (state) => ({
    ...state,
    initial: state.name.slice(0, 1).toUpperCase(),
  }));
  const { shape } = Member.state();
  const described = describeDomain(microservice("copies", { subscriptions: { everything } }), []);
  expect(described).toContain(
    `everything (projects ${Object.keys(shape).join(", ")}, initial of members.Member)\n`,
  );
});

test("A projection that cannot be asked without a real state is listed without its fields", () => {
  const strict = project(Member, (state) => {
    if (typeof state.name !== "string") throw new Error("not a member");
    return { name: state.name };
  });
  const described = describeDomain(microservice("copies", { subscriptions: { strict } }), []);
  expect(described).toContain("strict (projects members.Member)\n");
});

test("The commands of a domain are listed with what they take", () => {
  expect(describeCommands(members).split("\n")[0]).toBe('Commands of "members":');
  expect(describeCommands(loans)).toContain("\n  returnBook { loanId: uuid }\n");
});

test("npm run domains -- list does not load the AWS SDK, which would double the time that it takes", () => {
  const hook = join(folder, "hook.cjs");
  writeFileSync(hook, 'process.on("exit", () => console.error(Object.keys(require.cache).join("\\n")));');
  const main = join(__dirname, "..", "..", "dist", "cli", "main.js");
  const loadedBy = (command: string) =>
    spawnSync(process.execPath, ["-r", hook, main, command], { encoding: "utf8" }).stderr;
  expect(loadedBy("list")).toContain("describe.js");
  expect(loadedBy("list")).not.toContain("@aws-sdk");
  expect(loadedBy("quarantine")).toContain("@aws-sdk");
});
