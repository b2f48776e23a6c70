/** Every product has a supplier's cost, as its private fields say. */
import type { MigrationBuilder } from "node-pg-migrate";

export function up(pgm: MigrationBuilder): void {
  pgm.sql("alter table products alter column supplier_cost_cents set not null");
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql("alter table products alter column supplier_cost_cents drop not null");
}
