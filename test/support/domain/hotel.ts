/** A domain whose table has every kind of constraint, and triggers that raise. */
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { z } from "zod";
import { aggregate, command, reject, table, withKysely } from "../../../runtime";

/** A guest of a hotel. */
export const Guest = aggregate("hotel.Guest", {
  key: "guestId",
  state: () =>
    z.object({
      guestId: z.string(),
      email: z.string(),
      room: z.int(),
      nights: z.array(z.int()).length(2),
      city: z.string().nullable(),
      title: z.string(),
      agreed: z.boolean(),
    }),
  events: { GuestArrived: () => z.object({}), GuestMoved: () => z.object({}) },
});
/** Its table; some of its constraints are mapped. */
export const guests = table(Guest, {
  rejections: {
    guests_email_key: "EMAIL_TAKEN",
    guests_city_not_null: reject("CITY_MISSING", "Tell us the city."),
    guest_not_welcome: "NOT_WELCOME",
    HT001: "HOTEL_CLOSED",
  },
});

/** Makes the tables, as a migration would. */
export const HOTEL_SQL = `
    create extension btree_gist;
    create table rooms (room integer primary key);
    insert into rooms select generate_series(1, 9);
    create domain title as text check (value ~ '^[A-Z]') not null;
    create table guests (
      guest_id text primary key,
      email text not null constraint guests_email_key unique,
      room integer not null references rooms,
      nights jsonb not null,
      city text not null,
      title title,
      agreed boolean not null check (agreed),
      version integer not null,
      constraint one_in_a_room exclude using gist (room with =, int4range((nights ->> 0)::integer, (nights ->> 1)::integer) with &&)
    );
    create table invoices (guest_id text references guests deferrable initially deferred, number integer unique deferrable initially deferred);
    grant select, insert, update, delete on guests, rooms, invoices to monolith_application;
    select guard_entity_table('guests', 'hotel.Guest', 'guest_id');
    create function refuse_guest() returns trigger language plpgsql as $$
    begin
      if new.email like 'plain%' then raise exception 'No % here', new.email; end if;
      if new.email like 'named%' then raise exception 'No % here', new.email using errcode = 'check_violation', constraint = 'guest_not_welcome'; end if;
      if new.email like 'closed%' then raise exception 'No % here', new.email using errcode = 'HT001'; end if;
      if new.email like 'bug%' then perform 1 / 0; end if;
      if new.email like 'race%' then raise exception 'Try again' using errcode = 'serialization_failure'; end if;
      if new.email like 'invoiced%' then insert into invoices values ('nobody', null); end if;
      if new.email like 'twice%' then insert into invoices values (null, 1), (null, 1); end if;
      return new;
    end $$;
    create trigger refuse_guest before insert or update on guests for each row execute function refuse_guest();
    create function refuse_late() returns trigger language plpgsql as $$
    begin
      if new.email like 'late%' then raise exception 'Too late for %', new.email using constraint = 'before_noon'; end if;
      return null;
    end $$;
    create constraint trigger refuse_late after insert or update on guests deferrable initially deferred
      for each row execute function refuse_late();
  `;

/** A guest, as created. */
export type GuestFields = z.infer<ReturnType<typeof Guest.state>>;
const fields = () => Guest.state().partial();
let room = 0;
/** A guest with a room for themselves. */
export const guest = (more: Partial<GuestFields> = {}): GuestFields => {
  const [guestId, first] = [uuid(), 2 * (room += 1)];
  const email = `${guestId}@example.org`;
  return {
    guestId,
    email,
    room: 1,
    nights: [first, first + 1],
    city: "Oslo",
    title: "Dr",
    agreed: true,
    ...more,
  };
};
/** The commands of the domain. */
export const hotelCommands = {
  arrive: command({
    uses: { guests },
    input: fields,
    handle: async (given, { guests }) => guests.create(given as GuestFields).raise("GuestArrived"),
  }),
  /** Two changes: a transaction and not one statement. */
  arriveTogether: command({
    uses: { guests },
    input: () => z.array(fields()),
    handle: async (all, { guests }) =>
      all.map((one) => guests.create(one as GuestFields).raise("GuestArrived")),
  }),
  move: command({
    uses: { guests },
    input: fields,
    handle: async ({ guestId = "", ...rest }, { guests }) =>
      guests.update(await guests.get(guestId), rest as object).raise("GuestMoved"),
  }),
  leave: command({
    uses: { guests },
    input: fields,
    handle: async ({ guestId = "" }, { guests }) =>
      guests.remove(await guests.get(guestId)).raise("GuestMoved"),
  }),
  upsert: command({
    uses: { guests: withKysely(guests) },
    input: fields,
    handle: async (given, { guests }) =>
      guests
        .change((table) =>
          table
            .insert(given as never)
            .onConflict((on) => on.column("guestId").doUpdateSet({ email: sql`excluded.email` } as object)),
        )
        .raise("GuestArrived"),
  }),
};
