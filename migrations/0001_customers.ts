/** The entity table of `customers.Customer`. Migrations of other modules look the same. */
import type { MigrationBuilder } from "node-pg-migrate";

export function up(pgm: MigrationBuilder): void {
  pgm.sql(`
    create table customers (
      customer_id uuid primary key,
      name text not null check (name <> ''),
      email text not null check (position('@' in email) > 1),
      city text not null check (city <> ''),
      credit_note text,
      version integer not null check (version >= 1)
    );
    comment on column customers.credit_note is 'Private: no part of the contract, never in an event.';
    select guard_entity_table('customers', 'customers.Customer', 'customer_id');
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(`
    select unguard_entity_table('customers');
    drop table customers;
  `);
}
