import { type ClientBase, escapeIdentifier, escapeLiteral } from "pg";
import type { AnyDomain } from "../define/domain";
import { moduleTables } from "./contracts";
import { moduleRole } from "./module-role";
import { CONTRACTS_TABLE, DELETED_AGGREGATES_TABLE, INBOX_TABLE, OUTBOX_TABLE } from "./names";

/** Tables that all modules share, with the column that begins with "<module>.". */
const SHARED = {
  [OUTBOX_TABLE]: "aggregate",
  [INBOX_TABLE]: "consumer",
  [DELETED_AGGREGATES_TABLE]: "aggregate",
};

interface Module {
  name: string;
  role: string;
  tables: string[];
}

/**
 * Gives each module's role the rights that the module needs, and takes every other right on tables and sequences from
 * it: reading and changing the tables that the module registers, with their sequences; reading and inserting its
 * own aggregates' and consumers' rows of the outbox and the inbox. Creates the roles that are missing. A module that is
 * no longer registered loses its rights.
 *
 * @param domains all domains of the project
 * @param report takes a line for each role that is created or loses its rights
 */
export async function grantModuleRights(
  client: ClientBase,
  domains: readonly AnyDomain[],
  report: (line: string) => void = () => {},
): Promise<void> {
  const { rows } = await client.query<{ name: string }>("select current_database() as name");
  const database = rows[0]?.name ?? "";
  const tables = moduleTables(domains);
  const modules = domains
    .filter(({ kind }) => kind === "monolith-module")
    .map(({ name }) => ({
      name,
      role: moduleRole(database, name),
      tables: tables.filter(({ domain }) => domain === name).map((table) => table.name),
    }));
  for (const { name, role } of modules) {
    if (await createRole(client, role)) report(`Created role "${role}" of module "${name}"`);
  }
  await client.query("begin");
  try {
    const former = await policies(client);
    const isKept = (one: Policy) =>
      modules.some(({ name, role }) => one.policy === policyOf(name) && one.role === role);
    const gone = former.filter((one) => !isKept(one));
    await revokeAll(
      client,
      [...modules, ...gone].map(({ role }) => role),
    );
    for (const { policy, role } of gone) {
      for (const table of Object.keys(SHARED))
        await client.query(`drop policy if exists ${escapeIdentifier(policy)} on public.${table}`);
      report(`Role "${role}" has no rights any more: no module is registered for it`);
    }
    for (const module of modules) {
      if (!former.some((one) => isKept(one) && one.role === module.role))
        await createPolicies(client, module);
      await grantRights(client, module);
    }
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/** @returns whether it was missing; an operator, or the migration of a database of the same name, may have made it. */
async function createRole(client: ClientBase, role: string): Promise<boolean> {
  const { rowCount } = await client.query("select from pg_roles where rolname = $1", [role]);
  if (rowCount) return false;
  await client.query(`create role ${escapeIdentifier(role)} nologin`);
  return true;
}

interface Policy {
  policy: string;
  role: string;
}

const policyOf = (module: string) => `module ${module}`;

async function policies(client: ClientBase): Promise<Policy[]> {
  const { rows } = await client.query<Policy>(
    `select polname as policy, rolname as role from pg_policy join pg_roles on pg_roles.oid = any (polroles)
       where polrelid = 'public.${OUTBOX_TABLE}'::regclass and polname like 'module %'`,
  );
  return rows;
}

/** Within a transaction that grants what stays, so that no function is without its rights in between. */
async function revokeAll(client: ClientBase, roles: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ kind: string; name: string; role: string }>(HELD_RIGHTS, [roles]);
  for (const { kind, name, role } of rows)
    await client.query(`revoke all on ${kind} ${name} from ${escapeIdentifier(role)}`);
}

// Of a table or of some of its columns.
const HELD_RIGHTS = `
  select distinct case relkind when 'S' then 'sequence' else 'table' end as kind,
         format('%I.%I', nspname, relname) as name, rolname as role
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    cross join lateral (
      select grantee from aclexplode(relacl)
      union select acl.grantee from pg_attribute cross join lateral aclexplode(attacl) as acl where attrelid = pg_class.oid
    ) as held
    join pg_roles on pg_roles.oid = held.grantee
    where rolname = any ($1)`;

async function createPolicies(client: ClientBase, { name, role }: Module): Promise<void> {
  for (const [table, column] of Object.entries(SHARED)) {
    const isOwn = `starts_with(${column}, ${escapeLiteral(`${name}.`)})`;
    await client.query(
      `create policy ${escapeIdentifier(policyOf(name))} on public.${table} to ${escapeIdentifier(role)} using (${isOwn}) with check (${isOwn})`,
    );
  }
}

async function grantRights(client: ClientBase, { role, tables }: Module): Promise<void> {
  const to = escapeIdentifier(role);
  await client.query(`
    grant usage on schema public to ${to};
    grant select, insert on public.${OUTBOX_TABLE}, public.${INBOX_TABLE} to ${to};
    grant select on public.${DELETED_AGGREGATES_TABLE}, public.${CONTRACTS_TABLE}, public.guarded_tables to ${to};
  `);
  if (tables.length === 0) return;
  const names = tables.map((table) => `public.${escapeIdentifier(table)}`);
  await client.query(`
    revoke all on ${names.join(", ")} from public;
    grant select, insert, update, delete on ${names.join(", ")} to ${to};
  `);
  const { rows } = await client.query<{ name: string }>(SEQUENCES, [names]);
  for (const { name } of rows) await client.query(`grant usage on sequence ${name} to ${to}`);
}

// Sequences that a column owns, and those of which a default takes its values.
const SEQUENCES = `
  select distinct format('%I.%I', nspname, sequence.relname) as name
    from unnest($1::text[]::regclass[]) as tables (relation)
    left join pg_attrdef on adrelid = relation
    join pg_depend on refclassid = 'pg_class'::regclass and classid = 'pg_class'::regclass and refobjid = relation
      or classid = 'pg_attrdef'::regclass and objid = pg_attrdef.oid and refclassid = 'pg_class'::regclass
    join pg_class as sequence on sequence.relkind = 'S'
      and sequence.oid = case classid when 'pg_class'::regclass then objid else refobjid end
    join pg_namespace on pg_namespace.oid = sequence.relnamespace`;
