/** Who gets a customer's bills, as JSON: what the contract names of it is public. */
import type { MigrationBuilder } from "node-pg-migrate";

export function up(pgm: MigrationBuilder): void {
  pgm.sql(`
    alter table customers add column billing jsonb;
    comment on column customers.billing is 'Public: {"to"}. Private: anything else, e.g. the IBAN that accounting keeps here.';
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql("alter table customers drop column billing");
}
