import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Context } from "aws-lambda";
import { mockClient } from "aws-sdk-client-mock";
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { afterEach, beforeEach, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { aggregate, command, react, table, withKysely } from "../../../runtime";
import { makeCommandHandler } from "../../../runtime/command/handler";
import { readEnvironment } from "../../../runtime/function/handler";
import { openPool, POOL_VARIABLES } from "../../../runtime/postgres/pool";
import { postgresStore } from "../../../runtime/postgres/store";
import { makeReactionHandler } from "../../../runtime/reaction/handler";
import { cloudEvent, queueBatch } from "../../support/domain/domain-events";
import { lambdaContext } from "../../support/domain/outbox-records";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";
import { capturedLog } from "../../support/process/captured-log";
import { everythingIn } from "../../support/process/everything-in";

/** Is in every value but the key. */
const MARK = "4111222233334444";

const Patient = aggregate("clinic.Patient", {
  key: "patientId",
  state: () => z.object({ patientId: z.string(), name: z.string(), code: z.string(), tags: z.json() }),
  events: { PatientCame: () => z.object({ why: z.string().optional() }) },
});
const patients = table(Patient, {
  private: () =>
    z.object({
      diagnosis: z.string(),
      born: z.iso.date(),
      ward: z.string(),
      weight: z.string().nullable(),
      level: z.string(),
      nick: z.string(),
      visits: z.int(),
      fee: z.string(),
      doctor: z.string(),
      slot: z.string(),
    }),
});

const secrets = mockClient(SecretsManagerClient);
const log = capturedLog();
let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
  await bank.admin.query(`
    create type patient_level as enum ('calm', 'urgent');
    create domain fee as numeric(5, 2) check (value >= 0);
    create table doctors (name text primary key);
    insert into doctors values ('House');
    create table patients (
      patient_id text primary key, name text not null constraint patients_name_key unique, code text not null, tags jsonb not null,
      diagnosis text not null check (diagnosis not like 'checked%'), born date not null, ward uuid not null, weight numeric not null,
      level patient_level not null, nick varchar(5) not null, visits smallint not null, fee fee not null, doctor text not null references doctors,
      slot text not null, constraint one_at_a_time exclude using btree (slot with =), version integer not null
    );
    grant select, insert, update, delete on patients to monolith_application;
    select guard_entity_table('patients', 'clinic.Patient', 'patient_id');
    create function refuse_patient() returns trigger language plpgsql as $$
    begin
      if new.diagnosis like 'raised%' then raise exception '% has %', new.name, new.diagnosis using detail = new.diagnosis, hint = new.name; end if;
      if new.diagnosis like 'assert%' then assert false, new.diagnosis; end if;
      if new.diagnosis like 'strict%' then execute format('insert into no_such_table values (%L)', new.diagnosis); end if;
      if new.diagnosis like 'cast%' then perform new.diagnosis::xml; end if;
      return new;
    end $$;
    create trigger refuse_patient before insert or update on patients for each row execute function refuse_patient();
  `);
  const { user: username, password } = bank.database.as("monolith_application");
  const SecretString = JSON.stringify({ username, password });
  secrets.on(GetSecretValueCommand).resolves({ SecretString });
});
beforeEach(() => {
  const { host, port, name } = bank.database;
  const DATABASE_PORT = String(port);
  const environment = { DATABASE_HOST: host, DATABASE_PORT, DATABASE_NAME: name, DATABASE_TLS: "disable" };
  for (const [variable, value] of Object.entries({
    ...environment,
    DATABASE_SECRET_ARN: "arn:secret",
    PROJECTION_TABLES: "{}",
    AWS_REGION: "us-east-1",
  }))
    vi.stubEnv(variable, value);
});
afterEach(() => vi.unstubAllEnvs());

type Fields = z.infer<ReturnType<typeof Patient.state>> & z.infer<ReturnType<typeof patients.private>>;
const patient = (more: Partial<Record<keyof Fields, unknown>> = {}) => ({
  patientId: uuid(),
  name: `name ${MARK} ${uuid()}`,
  code: `code ${MARK}`,
  tags: { [`tag ${MARK}`]: [MARK] },
  diagnosis: `fine ${MARK}`,
  born: "1980-01-01",
  ward: uuid(),
  weight: `1${MARK}`,
  level: "calm",
  nick: "Ed",
  visits: 1,
  fee: "12.30",
  doctor: "House",
  slot: `slot ${MARK} ${uuid()}`,
  ...more,
});
const put = {
  uses: { patients },
  input: () => z.any(),
  handle: async (
    fields: Fields,
    { patients }: { patients: { create: (fields: object) => { raise: (event: "PatientCame") => never } } },
  ) => patients.create(fields).raise("PatientCame"),
};
const raw = (
  run: (read: {
    selectAll: () => { where: (condition: never) => { execute: () => Promise<unknown> } };
  }) => Promise<unknown>,
) =>
  command({
    uses: { patients: withKysely(patients) },
    input: () => z.any(),
    async handle(_, { patients }) {
      await run(patients.select() as never);
      return [];
    },
  });
const commands = {
  put: command(put as never),
  readWrongly: raw((read) =>
    read
      .selectAll()
      .where(sql`${MARK + "x"}::integer = 1` as never)
      .execute(),
  ),
  readUnknown: raw((read) =>
    read
      .selectAll()
      .where(sql`no_such_function(${MARK})` as never)
      .execute(),
  ),
  readLiteral: raw((read) =>
    read
      .selectAll()
      .where(sql.raw(`'x${MARK}'::uuid is null`) as never)
      .execute(),
  ),
  checked: command({
    uses: { patients },
    input: () =>
      z.strictObject({
        a: z.record(z.string(), z.int()).optional(),
        b: z
          .string()
          .refine(() => false, { error: ({ input }) => `${String(input)} is wrong` })
          .optional(),
        c: z.union([z.int(), z.array(z.strictObject({ d: z.enum(["x"]) }))]).optional(),
      }),
    handle: async () => [],
  }),
  throwing: command({
    uses: {},
    input: () => z.string(),
    handle: (input) => JSON.parse(`x${input}`) as never,
  }),
};

let handle: ((request: unknown, context: Context) => Promise<unknown>) | undefined;
async function send(name: keyof typeof commands, input: unknown) {
  handle ??= makeCommandHandler("clinic", commands, postgresStore()).callbackFactory();
  const result: unknown = await handle({ command: name, input, id: uuid() }, lambdaContext()).catch(
    (error: unknown) => error,
  );
  return { result, said: `${everythingIn(result)}\n${JSON.stringify(log)}` };
}

describe("whatever fails in a function of a module, neither its answer nor its error nor its log has a value:", () => {
  test("the values are there: one that is written is in the table and in the event", async () => {
    const one = patient();
    expect((await send("put", one)).result).toMatchObject({ outcome: "done" });
    expect(JSON.stringify(await bank.events(String(one.patientId)))).toContain(MARK);
  });

  test.each<[string, keyof typeof commands, () => unknown, object]>([
    ["check", "put", () => patient({ diagnosis: `checked ${MARK}` }), { outcome: "rejected" }],
    ["NOT NULL", "put", () => patient({ weight: null }), { outcome: "rejected" }],
    ["raised", "put", () => patient({ diagnosis: `raised ${MARK}` }), { outcome: "rejected" }],
    ["assertion", "put", () => patient({ diagnosis: `assert ${MARK}` }), { code: "P0004" }],
    ["a trigger's own statement", "put", () => patient({ diagnosis: `strict ${MARK}` }), { code: "42P01" }],
    ["a trigger's own cast", "put", () => patient({ diagnosis: `cast<${MARK}` }), {}],
    ["date", "put", () => patient({ born: `1980-${MARK}` }), { code: "INVALID_STATE" }],
    ["date out of range", "put", () => patient({ born: "0000-01-01" }), { outcome: "invalid" }],
    ["uuid", "put", () => patient({ ward: MARK }), { outcome: "invalid" }],
    ["numeric", "put", () => patient({ weight: `heavy ${MARK}` }), { outcome: "invalid" }],
    ["enum", "put", () => patient({ level: MARK }), { outcome: "invalid" }],
    ["varchar(n)", "put", () => patient({ nick: MARK }), { outcome: "invalid" }],
    ["integer out of range", "put", () => patient({ visits: Number(MARK) }), { outcome: "invalid" }],
    [
      "2^53-1 in an integer",
      "put",
      () => patient({ visits: Number.MAX_SAFE_INTEGER }),
      { outcome: "invalid" },
    ],
    ["numeric overflow", "put", () => patient({ fee: MARK }), { outcome: "invalid" }],
    ["numeric that is rounded", "put", () => patient({ fee: `1.${MARK}` }), { outcome: "invalid" }],
    [
      "domain type",
      "put",
      () => patient({ fee: "-1.00" }),
      { outcome: "rejected", code: "FEE_CHECK_VIOLATED" },
    ],
    [
      "foreign key",
      "put",
      () => patient({ doctor: MARK }),
      { outcome: "rejected", code: "PATIENTS_DOCTOR_FKEY_VIOLATED" },
    ],
    ["state", "put", () => patient({ code: Number(MARK) }), { code: "INVALID_STATE" }],
    ["NUL", "put", () => patient({ code: `${MARK}\0` }), { outcome: "invalid" }],
    ["NUL in a private field", "put", () => patient({ diagnosis: `${MARK}\0` }), { outcome: "invalid" }],
    ["too large", "put", () => patient({ code: MARK.repeat(20_000) }), { outcome: "invalid" }],
    ["a cast in a read", "readWrongly", () => ({}), { outcome: "invalid" }],
    ["an unknown function in a read", "readUnknown", () => ({}), { code: "42883" }],
    ["a literal in a read", "readLiteral", () => ({}), { outcome: "invalid" }],
    ["the key of a record", "checked", () => ({ a: { [MARK]: MARK } }), { outcome: "invalid" }],
    ["a check that quotes", "checked", () => ({ b: MARK }), { outcome: "invalid" }],
    ["an unknown field", "checked", () => ({ [MARK]: 1 }), { outcome: "invalid" }],
    [
      "an unknown field in a union",
      "checked",
      () => ({ c: [{ d: MARK, [MARK]: 1 }] }),
      { outcome: "invalid" },
    ],
    ["JSON", "throwing", () => MARK, { name: "SyntaxError" }],
  ])("%s", async (_, name, input, expected) => {
    const { result, said } = await send(name, input());
    expect(result).toMatchObject(expected);
    expect(result).not.toMatchObject({ outcome: "done" });
    expect(said).not.toContain(MARK);
  });

  test("unique, with the mark in the constraint's values", async () => {
    const one = patient();
    await send("put", one);
    const { result, said } = await send("put", patient({ name: one.name }));
    expect(result).toMatchObject({ outcome: "rejected", code: "PATIENTS_NAME_KEY_VIOLATED" });
    expect(said).not.toContain(MARK);
  });

  test("exclusion, with the mark in what excludes", async () => {
    const one = patient();
    await send("put", one);
    const { result, said } = await send("put", patient({ slot: one.slot }));
    expect(result).toMatchObject({ outcome: "rejected", constraint: "one_at_a_time" });
    expect(said).not.toContain(MARK);
  });

  test("a reaction", async () => {
    const reactions = react(Patient, {
      uses: { patients },
      on: {
        PatientCame: (_, handles) =>
          put.handle(patient({ diagnosis: `checked ${MARK}` }) as Fields, handles as never),
      },
    });
    const handle = makeReactionHandler("clinic.again", reactions, postgresStore()).callbackFactory();
    const event = cloudEvent({
      aggregate: "clinic.Patient",
      type: "PatientCame",
      data: { change: { why: MARK }, state: { name: MARK } },
    });
    expect(await handle(queueBatch([event]), lambdaContext())).toMatchObject({ batchItemFailures: [{}] });
    expect(log).toContainEqual(expect.objectContaining({ code: "PATIENTS_DIAGNOSIS_CHECK_VIOLATED" }));
    expect(JSON.stringify(log)).not.toContain(MARK);
  });

  test("a query of the pool itself, as retention's", async () => {
    const pool = await openPool(readEnvironment(POOL_VARIABLES));
    for (const run of [
      () => pool.query("select $1::integer", [`${MARK}x`]),
      async () => {
        const client = await pool.connect();
        return client.query(`select '${MARK}x'::uuid`).finally(() => client.release());
      },
    ]) {
      const error: unknown = await run().catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: expect.stringMatching(/^22/) as string });
      expect(everythingIn(error)).not.toContain(MARK);
    }
    await pool.end();
  });
});
