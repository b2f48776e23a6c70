/** The entity table of `catalog.Product`. */
import type { MigrationBuilder } from "node-pg-migrate";

export function up(pgm: MigrationBuilder): void {
  pgm.sql(`
    create table products (
      product_id uuid primary key,
      title text not null check (title <> ''),
      price_cents integer not null check (price_cents >= 0),
      stock integer not null check (stock >= 0),
      supplier_cost_cents integer check (supplier_cost_cents >= 0),
      version integer not null check (version >= 1)
    );
    comment on column products.supplier_cost_cents is 'Private: no part of the contract, never in an event.';
    select guard_entity_table('products', 'catalog.Product', 'product_id');
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(`
    select unguard_entity_table('products');
    drop table products;
  `);
}
