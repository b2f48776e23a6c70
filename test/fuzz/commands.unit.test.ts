import { beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { command, table } from "../../runtime";
import { makeCommandHandler } from "../../runtime/command/handler";
import type { AnyCommand } from "../../runtime/define/command";
import type { AnyDomain } from "../../runtime/define/domain";
import { dynamoStore } from "../../runtime/dynamodb/store";
import { readEnvironment } from "../../runtime/function/handler";
import type { Store } from "../../runtime/store/store";
import { domain as loans } from "../fixtures/domains/loans";
import { domain as members } from "../fixtures/domains/members";
import { Member } from "../fixtures/domains/members/contract";
import { isCarried } from "../support/domain/carried";
import { fakePostgres } from "../support/postgres/fake-postgres";
import { fakeTables } from "../support/dynamodb/fake-tables";
import { brokenText, type Draw, drawing, jsonText, mutated, oneOf } from "../support/domain/hostile";
import { lambdaContext } from "../support/domain/outbox-records";

const tables = fakeTables({
  loans: ["loanId"],
  members: ["aggregateId"],
  outbox: ["aggregateKey", "aggregateVersion"],
  inbox: ["messageId", "consumer"],
});
const prototype = Object.getOwnPropertyNames(Object.prototype).sort();

beforeEach(() => {
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("PROJECTION_TABLES", '{"members":"members"}');
  vi.stubEnv("ENTITY_TABLES", '{"loans":"loans"}');
  vi.stubEnv("OUTBOX_TABLE", "outbox");
  vi.stubEnv("INBOX_TABLE", "inbox");
  vi.stubEnv("OUTBOX_RETENTION_DAYS", "7");
  vi.stubEnv("INBOX_RETENTION_DAYS", "30");
  vi.spyOn(console, "info").mockImplementation(() => undefined);
});

/** A command with a number, which PostgreSQL may refuse though its schema takes it. */
const countLoans = command({
  uses: { members: table(Member) },
  input: () => z.object({ memberId: z.uuid(), lent: z.int().min(0) }),
  handle: async ({ memberId, lent }, { members }) =>
    members.update(await members.get(memberId), { lent }).raise("MemberLent", { loanId: memberId }),
});

/** What Lambda lets a function answer. */
const MAX_ANSWER_CHARACTERS = 20_000;
const TRACE = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";

/** A request that is done when it is sent as it is. */
interface Valid {
  domain: string;
  commands: Record<string, AnyCommand>;
  command: string;
  input: object;
}

/** Requests to a command, whose input's schema is made once: making it takes longer than all the rest. */
function valid(domain: AnyDomain, name: string, input: object): Valid {
  const command = domain.commands[name]!;
  const schema = command.input();
  return {
    domain: domain.name,
    commands: { [name]: { ...command, input: () => schema } },
    command: name,
    input,
  };
}

/**
 * Sends malformed requests, and a valid one among every ten, and checks every answer and whether anything was written.
 *
 * @param writes changes that were written since it was last called
 */
async function answered(requests: number, all: Valid[], store: Store, writes: () => number) {
  const known = all.map((one) => ({
    ...one,
    handler: makeCommandHandler(one.domain, one.commands, {
      variables: [],
      open: () => store,
    }).callbackFactory(),
    schema: one.commands[one.command]!.input(),
  }));
  const draw = drawing(20_261_126);
  const outcomes = new Set<unknown>();
  for (let number = 0; number < requests; number += 1) {
    const { command, input, handler, schema } = oneOf(draw, known);
    const request = { command, input, id: `request-${number}`, correlationId: "c", traceparent: TRACE };
    const bad = badRequest(draw, request);
    const answer = await handler(bad, lambdaContext()).catch((error: unknown) => error as { code?: unknown });
    const outcome = "outcome" in answer ? answer.outcome : answer.code;
    expect(outcome).toMatch(/^([a-z]+|[A-Z]+(_[A-Z]+)+)$/);
    outcomes.add(outcome);
    expect(writes()).toBe("changes" in answer ? answer.changes.length : 0);
    if ("outcome" in answer) {
      expect(JSON.stringify(answer).length).toBeLessThan(MAX_ANSWER_CHARACTERS);
      const given = bad as { command?: unknown; input?: unknown };
      if (given.command === command) {
        const { success, data } = schema.safeParse(given.input);
        const isRefused = !success || !isCarried(given.input) || isBeyondInteger(data);
        expect(answer.outcome === "invalid").toBe(isRefused);
      }
    }
    if (number % 10 > 0) continue;
    expect(await handler({ ...request, id: `valid-${number}` }, lambdaContext())).toMatchObject({
      outcome: "done",
    });
    expect(writes()).toBe(1);
  }
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototype);
  return [...outcomes];
}

describe("of 10,000 malformed requests", { timeout: 120_000 }, () => {
  const [KNOWN, NEW] = ["0a2e4c5d-1111-4222-8333-444455556666", "1a2e4c5d-1111-4222-8333-444455556666"];

  test("each is answered or refused by a code by the monolith, and nothing of it is written", async () => {
    const row = {
      member_id: KNOWN,
      name: "Ada",
      email: "ada@example.com",
      city: "Rome",
      lent: 1,
      version: 1,
    };
    const postgres = fakePostgres(row, () => {
      const nothing = async () => undefined;
      return { find: nothing, get: nothing as never, where: async () => [] };
    });
    const member = { memberId: NEW, name: "Zoë", email: "zoe@example.com", city: "Turin", note: "good" };
    const registered = { ...members, commands: { ...members.commands, countLoans } };
    const outcomes = await answered(
      10_000,
      [
        valid(registered, "joinLibrary", member),
        valid(registered, "moveMember", { memberId: KNOWN, city: "Turin" }),
        valid(registered, "renameCity", { from: "Rome", to: "Turin" }),
        valid(registered, "leaveLibrary", { memberId: KNOWN, reason: "moved" }),
        valid(registered, "countLoans", { memberId: KNOWN, lent: 5 }),
      ],
      postgres.store,
      () => postgres.writes(),
    );
    expect(outcomes.sort()).toEqual(["REQUEST_MALFORMED", "done", "invalid"]);
  });

  test("each is answered or refused by a code by a microservice, and nothing of it is written", async () => {
    fillTables();
    const outcomes = await answered(
      10_000,
      [
        valid(loans, "lendBook", { loanId: NEW, memberId: KNOWN, title: "Emma", shelf: "x" }),
        valid(loans, "returnBook", { loanId: KNOWN }),
        valid(loans, "returnCity", { loanId: KNOWN, city: "Turin" }),
      ],
      dynamoStore.open(readEnvironment(dynamoStore.variables)),
      () => {
        const written = tables.items("outbox").length;
        if (written > 0) fillTables();
        return written;
      },
    );
    expect(outcomes.sort()).toEqual(["REQUEST_MALFORMED", "done", "invalid"]);
  });

  function fillTables() {
    const fields = { name: "Zoë", city: "Turin" };
    tables.clear();
    tables.put("members", { aggregateId: KNOWN, version: 1, fields, by_city: "Turin" });
    tables.put("loans", { loanId: KNOWN, memberId: KNOWN, title: "Emma", status: "out", version: 1 });
  }
});

/** Whether a request has a number that its schema takes and its column, an integer, does not. */
function isBeyondInteger(input: unknown): boolean {
  const { lent } = (input ?? {}) as { lent?: number };
  return lent !== undefined && lent > 2 ** 31 - 1;
}

/** As Lambda hands it over: parsed JSON, whatever it says. */
function badRequest(draw: Draw, request: { input: object }): unknown {
  const text = JSON.stringify(request);
  for (;;) {
    const kind = draw(8);
    const input = kind < 5 ? mutated(draw, request.input) : request.input;
    const bad =
      kind === 7
        ? brokenText(draw, text)
        : jsonText(kind < 5 ? { ...request, input } : mutated(draw, request));
    try {
      return JSON.parse(bad);
    } catch {
      // Lambda itself refuses what is not JSON.
    }
  }
}
