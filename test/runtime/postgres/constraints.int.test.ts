import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { command, react, reject, withKysely } from "../../../runtime";
import { answerCommand, type CommandAnswer } from "../../../runtime/command/handler";
import { makeReactionHandler } from "../../../runtime/reaction/handler";
import { cloudEvent, queueBatch } from "../../support/domain/domain-events";
import { lambdaContext } from "../../support/domain/outbox-records";
import { Guest, guest, type GuestFields, guests, HOTEL_SQL, hotelCommands } from "../../support/domain/hotel";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";
import { capturedLog, problems } from "../../support/process/captured-log";

let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
  await bank.admin.query(HOTEL_SQL);
});

const send = (name: keyof typeof hotelCommands, input: unknown, id?: string) =>
  answerCommand("hotel", hotelCommands, bank.store, { command: name, input, ...(id ? { id } : {}) });
async function arrived(more: Partial<GuestFields> = {}): Promise<GuestFields> {
  const one = guest(more);
  expect(await send("arrive", one)).toMatchObject({ outcome: "done" });
  return one;
}
const rejected = (code: string, constraint?: string) => ({
  outcome: "rejected",
  code,
  ...(constraint && { constraint }),
});

describe("a violation of a domain's constraint is a rejection that names it, and nothing is written:", () => {
  test.each<[string, (known: GuestFields) => Partial<GuestFields>, string, string]>([
    ["unique", ({ email }) => ({ email }), "EMAIL_TAKEN", "guests_email_key"],
    ["foreign key", () => ({ room: 77 }), "GUESTS_ROOM_FKEY_VIOLATED", "guests_room_fkey"],
    ["exclusion", ({ nights }) => ({ nights }), "ONE_IN_A_ROOM_VIOLATED", "one_in_a_room"],
    ["check", () => ({ agreed: false }), "GUESTS_AGREED_CHECK_VIOLATED", "guests_agreed_check"],
    ["NOT NULL", () => ({ city: null }), "CITY_MISSING", "guests_city_not_null"],
    ["check of a type", () => ({ title: "lower" }), "TITLE_CHECK_VIOLATED", "title_check"],
    ["raised with a name", () => ({ email: `named ${uuid()}` }), "NOT_WELCOME", "guest_not_welcome"],
    ["deferred trigger", () => ({ email: `late ${uuid()}` }), "BEFORE_NOON_VIOLATED", "before_noon"],
    [
      "deferred foreign key",
      () => ({ email: `invoiced ${uuid()}` }),
      "INVOICES_GUEST_ID_FKEY_VIOLATED",
      "invoices_guest_id_fkey",
    ],
    [
      "deferred unique",
      () => ({ email: `twice ${uuid()}` }),
      "INVOICES_NUMBER_KEY_VIOLATED",
      "invoices_number_key",
    ],
  ])("%s", async (_, wrong, code, constraint) => {
    const known = await arrived();
    const moving = await arrived();
    const before = await written();
    const one = guest(wrong(known));
    expect(await send("arrive", one)).toMatchObject(rejected(code, constraint));
    expect(await send("arriveTogether", [guest(), one])).toMatchObject(rejected(code, constraint));
    expect(await send("move", { guestId: moving.guestId, ...wrong(known) })).toMatchObject(
      rejected(code, constraint),
    );
    expect(await send("upsert", one)).toMatchObject(rejected(code, constraint));
    expect(await written()).toBe(before);
  });

  test("and a removal that another table refers to", async () => {
    const { guestId } = await arrived();
    await bank.admin.query("insert into invoices values ($1)", [guestId]);
    expect(await send("leave", { guestId })).toMatchObject(
      rejected("INVOICES_GUEST_ID_FKEY_VIOLATED", "invoices_guest_id_fkey"),
    );
    expect(await bank.events(guestId)).toHaveLength(1);
  });
});

describe("what a trigger raises without a name", () => {
  test("is a rejection by its SQLSTATE, and its text is not repeated", async () => {
    const plain = await send("arrive", guest({ email: "plain@example.org" }));
    expect(plain).toMatchObject(rejected("P0001_RAISED"));
    expect(await send("arrive", guest({ email: "closed@example.org" }))).toMatchObject(
      rejected("HOTEL_CLOSED"),
    );
    expect(JSON.stringify(plain)).not.toContain("plain@");
  });

  test("is a lost race if it says so", async () => {
    expect(await send("arrive", guest({ email: "race@example.org" }))).toMatchObject({ outcome: "conflict" });
  });
});

describe("a violation is told from", () => {
  test("an aggregate that exists, whatever its primary key is called", async () => {
    const { guestId } = await arrived();
    const exists = { outcome: "rejected", code: "GUEST_EXISTS" };
    expect(await send("arrive", guest({ guestId }))).toMatchObject(exists);
    await bank.admin.query("alter table guests rename constraint guests_pkey to key_of_guests");
    expect(await send("arrive", guest({ guestId }))).toMatchObject(exists);
    expect(await send("arriveTogether", [guest(), guest({ guestId })])).toMatchObject(exists);
  });

  test("a key that had an earlier life, which is created again and still meets the constraint", async () => {
    const [known, { guestId }] = [await arrived(), await arrived()];
    expect(await send("leave", { guestId })).toMatchObject({ outcome: "done" });
    expect(await send("arrive", guest({ guestId, email: known.email }))).toMatchObject(
      rejected("EMAIL_TAKEN"),
    );
    expect(await send("arrive", guest({ guestId }))).toMatchObject({
      outcome: "done",
      changes: [{ version: 3 }],
    });
  });

  test("the effect of the same request: sent again, it gets its original answer", async () => {
    const one = guest();
    const generating = command({
      uses: { guests },
      input: () => z.object({}),
      handle: async (_, { guests }) => guests.create({ ...one, guestId: uuid() }).raise("GuestArrived"),
    });
    const request = { command: "generate", input: {}, id: uuid() };
    const answers: CommandAnswer[] = [];
    for (let time = 1; time <= 2; time += 1)
      answers.push(await answerCommand("hotel", { generate: generating }, bank.store, request));
    expect(answers).toEqual([answers[0], { ...answers[0], repeated: true }]);
    const other = { ...request, id: uuid() };
    expect(await answerCommand("hotel", { generate: generating }, bank.store, other)).toMatchObject(
      rejected("EMAIL_TAKEN"),
    );
  });

  test("what a handler can see on fresh reads: it answers by itself", async () => {
    const { email } = await arrived();
    let reads = 0;
    const looking = command({
      uses: { guests: withKysely(guests) },
      input: () => z.object({}),
      async handle(_, { guests }) {
        // The first read is from before the other guest arrived.
        const taken =
          (reads += 1) > 1 ? await guests.select().where("email", "=", email).selectAll().execute() : [];
        if (taken.length > 0) return reject("SEEN", "There is one.");
        return guests.create(guest({ email })).raise("GuestArrived");
      },
    });
    const request = { command: "look", input: {} };
    expect(await answerCommand("hotel", { look: looking }, bank.store, request)).toMatchObject(
      rejected("SEEN"),
    );
  });
});

describe("a reaction", () => {
  const log = capturedLog();

  test("whose change violates a constraint returns its event, with the domain's code, and takes effect once it can", async () => {
    const { guestId, email } = await arrived();
    const reactions = react(Guest, {
      uses: { guests },
      on: { GuestArrived: async (_, { guests }) => guests.create(guest({ email })).raise("GuestArrived") },
    });
    const store = { variables: [], open: () => bank.store };
    const handle = makeReactionHandler("hotel.companions", reactions, store).callbackFactory();
    const event = cloudEvent({ aggregate: "hotel.Guest", type: "GuestArrived" });
    expect(await handle(queueBatch([event]), lambdaContext())).toEqual({
      batchItemFailures: [{ itemIdentifier: "m1" }],
    });
    expect(problems(log)).toMatchObject([
      { code: "EMAIL_TAKEN", reason: expect.stringContaining("guests_email_key") as string },
    ]);
    expect(JSON.stringify(log)).not.toContain(email);
    expect(await send("move", { guestId, email: `free ${uuid()}` })).toMatchObject({ outcome: "done" });
    expect(await handle(queueBatch([event]), lambdaContext())).toEqual({ batchItemFailures: [] });
    // Its own effect violates the constraint now, and is known to be its own.
    expect(await handle(queueBatch([event]), lambdaContext())).toEqual({ batchItemFailures: [] });
  });
});

async function written(): Promise<number> {
  const { rows } = await bank.admin.query<{ rows: number }>(
    "select (select count(*) from guests) + (select count(*) from outbox) + (select count(*) from invoices) as rows",
  );
  return Number(rows[0]!.rows);
}
