import { withSchemasMadeOnce } from "../../../runtime/store/handles";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { command, reject, type StagedChange } from "../../../runtime";
import { answerCommand, fingerprintOf, makeCommandHandler } from "../../../runtime/command/handler";
import type { AnyCommand } from "../../../runtime/define/command";
import { found } from "../../../runtime/store/handles";
import { Account, accounts } from "../../support/domain/account";
import { CONFLICT, fakeStore } from "../../support/domain/fake-store";
import { lambdaContext } from "../../support/domain/outbox-records";

const CHANGE: StagedChange = {
  kind: "change",
  operation: "create",
  table: "accounts",
  definition: withSchemasMadeOnce(accounts),
  event: "AccountOpened",
  change: {},
  fields: { accountId: "a" },
};
const COMMITTED = { aggregate: "bank.Account", id: "a", version: 1, event: "AccountOpened", eventId: "e" };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The commands of a domain whose only one, "open", answers like this. */
function commandsOf(handle: () => ReturnType<AnyCommand["handle"]> = () => CHANGE) {
  const input = () => z.object({ owner: z.string().trim().min(1), pin: z.string().max(4).optional() });
  const spy = vi.fn((_input: unknown, _handles: unknown) => handle());
  return { spy, commands: { open: command({ uses: { accounts }, input, handle: spy }) } };
}

const request = (more: Record<string, unknown> = {}) => ({
  command: "open",
  input: { owner: "Ada" },
  ...more,
});

describe("a command that is done", () => {
  test("tells what was changed and the id of the request", async () => {
    const store = fakeStore([{ outcome: "committed", changes: [COMMITTED] }]);
    const answer = await answerCommand("bank", commandsOf().commands, store, request({ id: "r1" }));
    expect(answer).toEqual({ outcome: "done", id: "r1", changes: [COMMITTED] });
  });

  test("received the input as its schema yields it, and handles for what it uses", async () => {
    const { commands, spy } = commandsOf();
    await answerCommand("bank", commands, fakeStore(), request({ input: { owner: " Ada ", other: 1 } }));
    expect(spy).toHaveBeenCalledExactlyOnceWith({ owner: "Ada" }, { accounts });
  });

  test("commits all that it described at once, be it one change, several or none", async () => {
    for (const [handle, changes] of [
      [() => CHANGE, [CHANGE]],
      [() => [CHANGE, CHANGE], [CHANGE, CHANGE]],
      [() => [], []],
    ] as const) {
      const store = fakeStore();
      await answerCommand("bank", commandsOf(handle as () => StagedChange[]).commands, store, request());
      expect(store.commits).toMatchObject([{ changes }]);
    }
  });

  test("with an id of the caller's runs once, and carries what it was given", async () => {
    const store = fakeStore();
    const traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    const given = request({ id: "r1", correlationId: "c1", traceparent });
    await answerCommand("bank", commandsOf().commands, store, given);
    expect(store.commits[0]!.context).toEqual({
      correlationId: "c1",
      causationId: "r1",
      traceparent,
      once: {
        consumer: "bank.commands",
        messageId: "r1",
        fingerprint: fingerprintOf("open", { owner: "Ada" }),
      },
    });
  });

  test("without an id gets a new one, by which its events are correlated, and a new trace", async () => {
    const store = fakeStore();
    const answer = await answerCommand("bank", commandsOf().commands, store, request());
    const id = (answer as { id: string }).id;
    expect(id).toMatch(UUID);
    expect(store.commits[0]!.context).toEqual({
      correlationId: id,
      causationId: id,
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/) as string,
      once: undefined,
    });
  });
});

describe("a command that loses a race", () => {
  test("reads again and tries again", async () => {
    const { commands, spy } = commandsOf();
    const store = fakeStore([CONFLICT, CONFLICT, { outcome: "committed", changes: [COMMITTED] }]);
    const answer = await answerCommand("bank", commands, store, request({ id: "r1" }));
    expect(answer).toMatchObject({ outcome: "done", changes: [COMMITTED] });
    expect(spy).toHaveBeenCalledTimes(3);
  });

  test("answers conflict after three tries", async () => {
    const store = fakeStore([CONFLICT, CONFLICT, CONFLICT]);
    const answer = await answerCommand("bank", commandsOf().commands, store, request({ id: "r1" }));
    expect(answer).toEqual({
      outcome: "conflict",
      id: "r1",
      message: "The bank.Account was changed by another request.",
    });
    expect(store.commits).toHaveLength(3);
  });

  test("may be rejected by what it reads then", async () => {
    const answers = [CHANGE, reject("ACCOUNT_EXISTS", "There is one.")];
    const { commands } = commandsOf(() => answers.shift()!);
    const answer = await answerCommand("bank", commands, fakeStore([CONFLICT]), request({ id: "r1" }));
    expect(answer).toMatchObject({ outcome: "rejected", code: "ACCOUNT_EXISTS" });
  });
});

describe("a command that creates what exists", () => {
  const EXISTS = { ...CONFLICT, existing: "a" };

  test("is rejected after three tries by the standard rejection of its aggregate", async () => {
    const { commands, spy } = commandsOf();
    const store = fakeStore([EXISTS, EXISTS, EXISTS]);
    expect(await answerCommand("bank", commands, store, request({ id: "r1" }))).toEqual({
      outcome: "rejected",
      id: "r1",
      code: "ACCOUNT_EXISTS",
      message: 'The bank.Account "a" exists. Use another id.',
    });
    expect(spy).toHaveBeenCalledTimes(3);
  });
});

describe("a command that is refused", () => {
  test("by a read of what does not exist answers its standard rejection, and nothing is committed", async () => {
    const store = fakeStore();
    const { commands, spy } = commandsOf();
    spy.mockImplementation(() => found<never>(Promise.resolve(undefined), Account, "a"));
    expect(await answerCommand("bank", commands, store, request({ id: "r1" }))).toMatchObject({
      outcome: "rejected",
      id: "r1",
      code: "ACCOUNT_UNKNOWN",
    });
    expect(spy).toHaveBeenCalledTimes(1);
    expect(store.commits).toEqual([]);
  });

  test("by its own rules answers the rejection, and nothing is committed", async () => {
    const store = fakeStore();
    const { commands } = commandsOf(() => reject("NO_FUNDS", "The account is empty."));
    const answer = await answerCommand("bank", commands, store, request({ id: "r1" }));
    expect(answer).toEqual({
      outcome: "rejected",
      id: "r1",
      code: "NO_FUNDS",
      message: "The account is empty.",
    });
    expect(store.commits).toEqual([]);
  });

  test("for its input answers every issue with its place, without the values, and does not run", async () => {
    const { commands, spy } = commandsOf();
    const input = { owner: "", pin: "secret-pin" };
    const answer = await answerCommand("bank", commands, fakeStore(), request({ input }));
    expect(answer).toMatchObject({ outcome: "invalid", issues: [{ path: "owner" }, { path: "pin" }] });
    expect(JSON.stringify(answer)).not.toContain("secret-pin");
    expect(spy).not.toHaveBeenCalled();
  });

  test("for having no input names the root", async () => {
    const answer = await answerCommand("bank", commandsOf().commands, fakeStore(), { command: "open" });
    expect(answer).toMatchObject({ outcome: "invalid", issues: [{ path: "" }] });
    expect((answer as { message: string }).message).toContain('The input of "open" is not valid: (root): ');
  });

  test.each(["close", "__proto__", "constructor", "toString", ""])(
    'for its name "%s", which no command has, lists those that the domain has',
    async (name) => {
      const answer = await answerCommand("bank", commandsOf().commands, fakeStore(), { command: name });
      const message = `The domain "bank" has no command "${name}". Its commands are open.`;
      expect(answer).toEqual({
        outcome: "invalid",
        message,
        issues: [{ path: "command", message }],
        commands: ["open"],
      });
    },
  );

  test("for an input that no store could keep as it is", async () => {
    const { commands, spy } = commandsOf();
    for (const owner of ["Ada\0", "Ada\ud800"]) {
      expect(await answerCommand("bank", commands, fakeStore(), request({ input: { owner } }))).toMatchObject(
        {
          outcome: "invalid",
          issues: [{ path: "owner", message: "holds a NUL character or half of a surrogate pair" }],
        },
      );
    }
    expect(spy).not.toHaveBeenCalled();
  });

  test("for an input of 10,000 levels, without overflowing", async () => {
    const deep: unknown = JSON.parse("[".repeat(10_000) + "]".repeat(10_000));
    for (const any of [z.any(), z.json()]) {
      const input = () => z.object({ any });
      const commands = { open: command({ uses: {}, input, handle: async () => [] }) };
      const answer = await answerCommand("bank", commands, fakeStore(), request({ input: { any: deep } }));
      expect(answer).toMatchObject({ outcome: "invalid" });
    }
  });

  test("is answered in few words, however long what it got wrong is", async () => {
    const long = "x".repeat(1_000_000);
    const list = { many: command({ uses: {}, input: () => z.array(z.int()), handle: async () => [] }) };
    for (const [commands, wrong] of [
      [list, { command: long }],
      [list, { command: "many", input: Array(100_000).fill("x") }],
    ] as const) {
      const answer = await answerCommand("bank", commands, fakeStore(), wrong);
      expect(answer).toMatchObject({ outcome: "invalid" });
      expect(JSON.stringify(answer).length).toBeLessThan(10_000);
    }
  });

  test("by a domain without commands says that it has none", async () => {
    expect(await answerCommand("bank", {}, fakeStore(), request())).toMatchObject({
      message: 'The domain "bank" has no command "open". Its commands are none.',
    });
  });
});

describe("a malformed request", () => {
  test.each([undefined, null, "open", [], {}, { command: 5 }])("is an error: %j", async (malformed) => {
    await expect(answerCommand("bank", commandsOf().commands, fakeStore(), malformed)).rejects.toMatchObject({
      code: "REQUEST_MALFORMED",
      message: expect.stringContaining('"command" is missing') as string,
    });
  });

  test.each(["id", "correlationId", "traceparent"])(
    'is an error for a "%s" that is not a text, empty, longer than the outbox keeps, or not kept as it is',
    async (name) => {
      for (const value of [5, "", null, "x".repeat(257), "a\0", "a\ud800"]) {
        const answering = answerCommand(
          "bank",
          commandsOf().commands,
          fakeStore(),
          request({ [name]: value }),
        );
        await expect(answering).rejects.toMatchObject({
          code: "REQUEST_MALFORMED",
          message: expect.stringContaining(`"${name}" is not a text of 1 to 256 characters`) as string,
        });
      }
    },
  );
});

describe("what is unexpected", () => {
  test("stays an error, so that the function fails", async () => {
    const store = fakeStore([new Error("The database is gone")]);
    await expect(answerCommand("bank", commandsOf().commands, store, request())).rejects.toThrow(
      "The database is gone",
    );
  });
});

describe("a command function", () => {
  test("opens its store once and answers every request with it", async () => {
    const store = fakeStore();
    const open = vi.fn(() => store);
    const { commands } = commandsOf();
    const handler = makeCommandHandler("bank", commands, { variables: [], open }).callbackFactory();
    await handler(request(), lambdaContext());
    await handler(request(), lambdaContext());
    expect(open).toHaveBeenCalledTimes(1);
    expect(store.commits).toHaveLength(2);
  });
});
