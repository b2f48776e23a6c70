import { describe, expect, test } from "vitest";
import { customer, product, shop } from "../../support/verdict/shop.js";
import { broken, type World } from "../../support/verdict/world.js";

/** A change in an answer. */
const reported = {
  aggregate: "catalog.Product",
  id: "mat",
  version: 1,
  event: "ProductListed",
  eventId: "event",
};

describe("COMMANDS_TOLD_TRULY is broken by", () => {
  test.each<[string, (world: World) => void]>([
    [
      "a command that was answered as done and was not done",
      ({ command }) => {
        command("catalog.listProduct", []).answers = [{ outcome: "done", changes: [reported] }];
      },
    ],
    ...(["conflict", "lost", "unknown"] as const).map((outcome): [string, (world: World) => void] => [
      `a command that is sent again in quiet and answered with ${outcome}`,
      ({ command }) => {
        const request = command("catalog.listProduct", [], ["lost", "conflict"]);
        request.answers.push({ outcome });
        request.askedInQuiet = 1;
      },
    ]),
    [
      "a command that was answered as done and left no inbox record",
      ({ snapshot, command }) => {
        command("catalog.listProduct", []);
        snapshot.inbox.pop();
      },
    ],
    [
      "a command that was answered as done before and left no inbox record",
      ({ snapshot, command }) => {
        command("catalog.listProduct", []).answers = [{ outcome: "done", changes: [], repeated: true }];
        snapshot.inbox.pop();
      },
    ],
    [
      "a command that made a change and reported none",
      ({ command }) => {
        command("catalog.listProduct", [product("mat", 1)]).answers = [{ outcome: "done", changes: [] }];
      },
    ],
    ...(["aggregate", "id", "version", "event", "eventId"] as const).map(
      (field): [string, (world: World) => void] => [
        `another ${field} than was reported`,
        ({ command }) => {
          const [change] = command("catalog.listProduct", [product("mat", 1)]).answers[0]?.changes ?? [];
          if (change) Object.assign(change, { [field]: "?" });
        },
      ],
    ),
    ...(["rejected", "conflict", "invalid"] as const).map((outcome): [string, (world: World) => void] => [
      `a command that was answered as ${outcome} and was done`,
      ({ command }) => void command("catalog.listProduct", [product("mat", 1)], [outcome]),
    ]),
    [
      "a command that was answered as rejected and left an inbox record",
      ({ snapshot, command }) => {
        const { requestId } = command("catalog.listProduct", [], ["rejected"]);
        snapshot.inbox.push({ consumer: "catalog.commands", messageId: requestId, processedAt: "2030" });
      },
    ],
    ...(["rejected", "conflict", "invalid"] as const).map((outcome): [string, (world: World) => void] => [
      `a command that was answered as done, and as ${outcome} afterwards`,
      ({ command }) => void command("catalog.listProduct", [product("mat", 1)], ["done", outcome]),
    ]),
    [
      "a repeated command that was answered without the changes of the first",
      ({ command }) => {
        const { answers } = command("catalog.listProduct", [product("mat", 1)]);
        answers.push({ outcome: "done", changes: [], repeated: true });
      },
    ],
    [
      "a command that was answered as done twice",
      ({ command }) => void command("catalog.listProduct", [product("mat", 1)], ["done", "done"]),
    ],
    [
      "a request that took effect twice though no answer came",
      ({ command }) =>
        void command("catalog.listProduct", [product("mat", 1), product("pan", 1)], ["lost", "unknown"]),
    ],
    [
      "a change whose request left no inbox record",
      ({ snapshot, command }) => {
        command("catalog.listProduct", [product("mat", 1)], ["lost"]);
        snapshot.inbox.pop();
      },
    ],
    ["SQL that was committed and has no events", ({ sql }) => void sql([], "committed")],
    [
      "SQL that was rolled back and has events",
      ({ sql }) => void sql([customer("fay", "CustomerRegistered")], "rolledBack"),
    ],
    [
      "SQL that was refused and has events",
      ({ sql }) => void sql([customer("fay", "CustomerRegistered")], "refused"),
    ],
    [
      "an event that no request and no event caused",
      ({ commit }) => void commit(customer("fay", "CustomerRegistered"), { causationId: "nobody" }),
    ],
    [
      "an event with the correlation of no transaction",
      ({ commit }) => void commit(customer("fay", "CustomerRegistered"), { correlationId: "nobody" }),
    ],
  ])("%s", (_title, doctor) => {
    const world = shop();
    doctor(world);
    expect(broken(world)).toEqual(["COMMANDS_TOLD_TRULY"]);
  });
});

test("an event of a command is not an event of a raw transaction with the same correlation", () => {
  const world = shop();
  world.sql([], "rolledBack");
  const sql = world.journal.requests.at(-1);
  world.command("catalog.listProduct", [product("mat", 1)]);
  const listed = world.event("ProductListed");
  if (sql?.kind === "sql") listed.correlationId = sql.transactionId;
  world.envelope(listed)["correlationid"] = listed.correlationId;
  expect(broken(world)).toEqual([]);
});

test("an event caused by an event of a raw transaction is not an event of that transaction", () => {
  const world = shop();
  const [relocated] = world.sql([{ ...customer("dan", "CustomerRelocated"), change: { to: "Graz" } }]);
  if (relocated) world.react("shipping.relocations", relocated);
  expect(broken(world)).toEqual([]);
});
