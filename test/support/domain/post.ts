/** A domain whose tables have columns of many kinds, for commits of many changes. */
import { z } from "zod";
import { aggregate, table } from "../../../runtime";
import type { Row, StagedChange } from "../../../runtime/define/change";
import { registerContracts } from "../../../runtime/postgres/contracts";
import { storeOn } from "../../../runtime/postgres/store";
import type { Store } from "../../../runtime/store/store";
import { applicationConnection } from "../postgres/bank-database";
import { connect, freshDatabase } from "../postgres/postgres";

const Parcel = aggregate("post.Parcel", {
  key: "parcelId",
  state: () =>
    z.object({
      parcelId: z.uuid(),
      label: z.string(),
      weight: z.number().nullable(),
      price: z.string().regex(/^\d{1,6}\.\d\d$/),
      sentAt: z.iso.datetime().optional(),
      tags: z.array(z.string()),
      place: z.object({ city: z.string().optional(), floors: z.array(z.int()) }).nullable(),
    }),
  events: { ParcelPosted: () => z.object({ by: z.string() }), ParcelLost: () => z.object({}) },
});
const parcels = table(Parcel, {
  private: () => z.object({ note: z.string().nullish(), scan: z.json().optional() }),
  rejections: { parcels_label_key: "LABEL_TAKEN", parcels_weight_check: "TOO_HEAVY" },
});
const Stamp = aggregate("post.Stamp", {
  key: "code",
  state: () => z.object({ code: z.string(), used: z.boolean() }),
  events: { StampPrinted: () => z.object({}), StampUsed: () => z.object({}) },
});
const stamps = table(Stamp);

const TABLES = `
  create table parcels (
    parcel_id uuid primary key, label text not null constraint parcels_label_key unique,
    weight double precision constraint parcels_weight_check check (weight < 1000), price numeric(8, 2) not null,
    sent_at timestamptz, tags jsonb not null, place jsonb, note text, scan jsonb, number serial, version integer not null
  );
  create table stamps (code text primary key, used boolean not null, version integer not null);
  grant select, insert, update, delete on parcels, stamps to monolith_application;
  grant usage on sequence parcels_number_seq to monolith_application;
  select guard_entity_table('parcels', 'post.Parcel', 'parcel_id'), guard_entity_table('stamps', 'post.Stamp', 'code');
`;

export interface Post {
  store: Store;
  statements: string[];
  query(text: string, ...values: unknown[]): Promise<Row[]>;
}

export async function openPost(): Promise<Post> {
  const database = await freshDatabase();
  const admin = await connect(database.url);
  await admin.query(TABLES);
  await registerContracts(admin, [
    { domain: "post", name: "parcels", definition: parcels },
    { domain: "post", name: "stamps", definition: stamps },
  ]);
  const { db, statements } = applicationConnection(database);
  return {
    store: storeOn(db),
    statements,
    query: async (text, ...values) => (await admin.query(text, values)).rows,
  };
}

export const context = { correlationId: "test" };
type Handle = {
  find(id: string): Promise<(Row & { version: number }) | undefined>;
  create(row: Row): { raise(event: string, change?: object): StagedChange };
  update(row: Row, fields: Row): { raise(event: string, change?: object): StagedChange };
  remove(row: Row): { raise(event: string, change?: object): StagedChange };
};
export const handlesOf = ({ store }: Post) =>
  store.handles({ parcels, stamps } as never) as unknown as { parcels: Handle; stamps: Handle };

export type Outcome = { outcome: string; code?: string };
export async function committing(store: Store, changes: StagedChange[]): Promise<Outcome> {
  try {
    const result = await store.commit(changes, context);
    const { outcome } = result;
    return "rejection" in result ? { outcome, code: result.rejection.code } : { outcome };
  } catch (error) {
    return { outcome: "error", code: (error as { code?: string }).code ?? String(error) };
  }
}
