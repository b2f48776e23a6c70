import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import {
  queriedIndexes,
  usedBy,
  usedByCommands,
  usedByReactions,
  WORK_OF_VERB,
} from "../../../dist/components/function/used.js";
import { command, project, react, table } from "../../../dist/runtime/index.js";
import type { TableHandle } from "../../../runtime/define/handles";
import type { StagedChange } from "../../../runtime/define/change";
import { documentClient } from "../../../runtime/dynamodb/documents";
import { storeOn } from "../../../runtime/dynamodb/store";
import { Loan } from "../../../dist/test/fixtures/domains/loans/contract.js";
import { Member } from "../../../dist/test/fixtures/domains/members/contract.js";
import { awsStub } from "../../support/dynamodb/aws-stub";

const loans = table(Loan, { indexes: ["memberId", "title"] });
const members = project(Member, ({ name, city }) => ({ name, city }), { indexes: ["city"] });
const uses = { loans, members };
const nothing = { read: false, write: false, queried: new Set<string>() };
type Loans = TableHandle<typeof loans>;
const input = () => z.object({});

describe("What a function uses", () => {
  test("is what all its commands do together", () => {
    const commands = {
      find: command({ uses, input, handle: async (_, { loans }) => void (await loans.find("1")) as never }),
      query: command({
        uses,
        input,
        handle: async (_, { loans }) => void (await loans.where("title", "")) as never,
      }),
      other: command({
        uses,
        input,
        handle: async (_, { members }) => void (await members.where("city", "")) as never,
      }),
    };
    expect(usedByCommands(commands)).toEqual({
      loans: { read: true, write: false, queried: new Set(["title"]) },
      members: { ...nothing, queried: new Set(["city"]) },
    });
    expect(usedByCommands({})).toEqual({});
  });

  test("is what all reactions of its subscription do together", () => {
    const subscription = react(Member, {
      uses,
      on: {
        MemberJoined: async (_, { members }) => void (await members.get("1")) as never,
        MemberLeft: async (_, { loans }) =>
          (await loans.where("memberId", "1")).map((row) =>
            loans.remove(row).raise("LoanForgotten", { reason: "" }),
          ),
      },
    });
    expect(usedByReactions(subscription)).toEqual({
      loans: { read: false, write: true, queried: new Set(["memberId"]) },
      members: { ...nothing, read: true },
    });
  });

  test("is everything, where the code of one handler does not tell", () => {
    const everything = { read: true, write: true, queried: "any" };
    const known = {
      uses,
      handle: (_: never, { loans }: { loans: Loans }) => loans.find("1"),
    };
    const unknown = { uses, handle: Math.max as () => unknown };
    const odd = {
      uses,
      handle: (_: never, { loans }: { loans: { unheardOf(): void } }) => loans.unheardOf(),
    };
    expect(usedBy([known, unknown])).toEqual({ loans: everything, members: everything });
    expect(usedBy([known, odd])).toEqual({ loans: everything, members: nothing });
  });

  test("is nothing of a table that is only named", () => {
    expect(usedBy([{ uses, handle: () => [] }])).toEqual({ loans: nothing, members: nothing });
    expect(queriedIndexes(nothing, ["city"])).toEqual([]);
    expect(queriedIndexes({ ...nothing, queried: "any" }, ["city", "name"])).toEqual(["city", "name"]);
    expect(queriedIndexes({ ...nothing, queried: new Set(["name", "no index"]) }, ["city", "name"])).toEqual([
      "name",
    ]);
    expect(queriedIndexes(undefined, ["city"])).toEqual([]);
  });
});

describe("A verb's work is what the runtime calls for it", async () => {
  const stub = await awsStub();
  for (const [name, value] of Object.entries(stub.environment)) vi.stubEnv(name, value);
  const tables = {
    entities: { loans: "loans-table" },
    outbox: "outbox-table",
    inbox: "inbox-table",
    outboxRetentionDays: 1,
    inboxRetentionDays: 1,
  };
  const store = storeOn(documentClient(), tables, { members: "members-table" });
  const handles = store.handles(uses) as {
    loans: TableHandle<typeof loans>;
    members: { find(id: string): Promise<unknown>; where(index: string, value: string): Promise<unknown> };
  };
  const row = {
    loanId: "3f8a2c1e-1111-4222-8333-444455556666",
    memberId: "3f8a2c1e-1111-4222-8333-444455556667",
    title: "Emma",
    status: "out" as const,
  };
  const read = { ...row, version: 1 };
  const context = {
    correlationId: "c",
    causationId: undefined,
    traceparent: "t",
    once: { consumer: "c", messageId: "m" },
  };
  const commit = (change: StagedChange) => store.commit([change], context as never);
  const CALLS: Record<string, () => Promise<unknown>> = {
    find: () => handles.loans.find(row.loanId),
    get: () => handles.loans.get(row.loanId).catch(() => undefined),
    where: () => handles.loans.where("title", "Emma"),
    create: () => commit(handles.loans.create(row).raise("BookLent", { memberId: row.memberId })),
    update: () => commit(handles.loans.update(read, { status: "returned" }).raise("BookReturned")),
    remove: () => commit(handles.loans.remove(read).raise("LoanForgotten", { reason: "" })),
  };
  const OPERATION = { read: "GetItem loans-table", query: "Query loans-table" };

  test("and every verb has its work", () => {
    expect(Object.keys(WORK_OF_VERB).sort()).toEqual(Object.keys(CALLS).sort());
    const { find: _find, ...verbs } = handles.loans;
    expect(["find", ...Object.keys(verbs)].sort()).toEqual(Object.keys(CALLS).sort());
  });

  test.each(Object.keys(CALLS))("%s", async (verb) => {
    await CALLS[verb]?.();
    const called = stub.taken().map(({ operation, body }) => ({ operation, body }));
    const work = WORK_OF_VERB[verb] as "read" | "query" | "write";
    if (work !== "write") {
      expect(called.map(({ operation, body }) => `${operation} ${String(body.TableName)}`)).toEqual([
        OPERATION[work],
      ]);
      return;
    }
    expect(called.map(({ operation }) => operation)).toEqual(["TransactWriteItems"]);
    const actions = called[0]?.body.TransactItems as Record<string, { TableName: string }>[];
    expect(actions.map((action) => Object.keys(action).join())).toEqual(["Put", "Put", "Put"]);
    expect(actions.map(({ Put }) => Put?.TableName)).toEqual(["inbox-table", "loans-table", "outbox-table"]);
  });

  test("of a projection's find and where too", async () => {
    await handles.members.find("1");
    await handles.members.where("city", "Turin");
    expect(stub.taken().map(({ operation, body }) => `${operation} ${String(body.TableName)}`)).toEqual([
      "GetItem members-table",
      "Query members-table",
    ]);
  });
});
