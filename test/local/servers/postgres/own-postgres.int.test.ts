import { existsSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Client } from "pg";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import type { PostgresServer } from "../../../../dist/local/servers/postgres/postgres.js";
import { startPostgres } from "../../../../dist/local/servers/postgres/start-postgres.js";
import { processReference } from "../../../../dist/local/servers/run/processes.js";
import type { RunDirectory } from "../../../../dist/local/servers/run/run-directory.js";
import { openRunDirectory } from "../../../../dist/local/servers/run/run-directory.js";
import { temporaryFolder } from "../temporary-folder";

const TIMEOUT_MILLISECONDS = 60_000;

afterEach(() => vi.unstubAllEnvs());

async function openRun(): Promise<RunDirectory> {
  const run = await openRunDirectory(temporaryFolder());
  onTestFinished(() => run.close());
  return run;
}

async function start(run: RunDirectory, lines: string[] = []): Promise<PostgresServer> {
  return startPostgres({ run, report: (line) => lines.push(line) });
}

async function query(url: string, text: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ value: string }>(text);
    return rows.map(({ value }) => value);
  } finally {
    await client.end();
  }
}

test(
  "a PostgreSQL 17 of the run's own decodes logically, commits durably, listens on loopback only, and leaves nothing",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const run = await openRun();
    const server = await start(run);
    expect(server.version).toMatch(/^17\./);
    const settings = [
      "wal_level",
      "fsync",
      "synchronous_commit",
      "listen_addresses",
      "unix_socket_directories",
      "TimeZone",
      "max_replication_slots",
      "password_encryption",
    ];
    expect(
      await query(
        server.adminUrl(),
        `select setting as value from unnest('{${settings.join(",")}}'::text[]) with ordinality t (name, i) join pg_settings using (name) order by i`,
      ),
    ).toEqual(["logical", "on", "on", "127.0.0.1", "", "UTC", "50", "scram-sha-256"]);
    await expect(
      query(server.adminUrl().replace(/:[^:@]*@/, ":wrong@"), "select 1 as value"),
    ).rejects.toMatchObject({ code: "28P01" });
    expect(await server.createDatabase("monolith")).toBe("monolith");
    expect(await query(server.adminUrl("monolith"), "select current_database() as value")).toEqual([
      "monolith",
    ]);
    expect(
      await query(
        server.adminUrl("monolith"),
        "select slot_name as value from pg_create_logical_replication_slot('monolith_outbox', 'test_decoding')",
      ),
    ).toEqual(["monolith_outbox"]);
    const [data] = run.record.dataFolders;
    expect(existsSync(data as string)).toBe(true);
    await server.stop();
    await server.stop();
    expect(existsSync(data as string)).toBe(false);
    expect(processReference(server.pid as number)).toBeUndefined();
    expect(run.record).toMatchObject({ children: [], dataFolders: [] });
  },
);

test(
  "two servers run side by side, and one that restarts keeps its port and its data",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const run = await openRun();
    const other = await openRun();
    const [first, second] = await Promise.all([start(run), start(other)]);
    expect(first.port).not.toBe(second.port);
    await first.createDatabase("kept");
    const { pid } = first;
    await first.restart();
    expect(first.pid).not.toBe(pid);
    expect(await query(first.adminUrl("kept"), "select current_database() as value")).toEqual(["kept"]);
    expect(
      await query(
        second.adminUrl(),
        "select count(*)::text as value from pg_database where datname = 'kept'",
      ),
    ).toEqual(["0"]);
    await Promise.all([first.stop(), second.stop()]);
  },
);

test(
  "a server that was killed is started again as soon as the last of its processes has let go of its memory",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const server = await start(await openRun());
    const client = new Client({ connectionString: server.adminUrl() });
    client.on("error", () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    const backend = (rows[0] as { pid: number }).pid;
    process.kill(backend, "SIGSTOP");
    setTimeout(() => process.kill(backend, "SIGCONT"), 700);
    await server.restart("kill");
    expect(await query(server.adminUrl(), "select 'up' as value")).toEqual(["up"]);
    await server.stop();
  },
);

test(
  "a server that ends though nobody stopped it is noticed",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const server = await start(await openRun());
    // Not SIGKILL, after which PostgreSQL leaves shared memory behind.
    process.kill(server.pid as number, "SIGQUIT");
    expect(await server.died).toMatchObject({
      code: "POSTGRES_DIED",
      message: expect.stringMatching(/^PostgreSQL ended unexpectedly \(.*\)\. The end of/) as string,
    });
    await server.stop();
  },
);

test("a fixed port that is taken is refused by name", { timeout: TIMEOUT_MILLISECONDS }, async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  vi.stubEnv("DOMAINS_POSTGRES_PORT", String(port));
  await expect(start(await openRun())).rejects.toMatchObject({
    code: "PORT_TAKEN",
    message: expect.stringContaining(
      `PostgreSQL cannot listen on port "${port}", which DOMAINS_POSTGRES_PORT asks for: it is in use.`,
    ) as string,
  });
});

test(
  "on the user's server a run has databases of its own and drops them with their slots",
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const theirs = await start(await openRun());
    vi.stubEnv("DATABASE_URL", theirs.adminUrl());
    const lines: string[] = [];
    const run = await openRun();
    const server = await start(run, lines);
    expect(server).toMatchObject({ external: true, port: theirs.port, pid: undefined });
    expect(lines).toEqual([
      `Using PostgreSQL ${theirs.version} at 127.0.0.1:${theirs.port} (DATABASE_URL); the run gets databases of its own there and drops them at its end`,
    ]);
    const name = await server.createDatabase("monolith");
    expect(name).toBe(`monolith_${run.id.replaceAll("-", "_")}`);
    await query(
      server.adminUrl(name),
      `select slot_name as value from pg_create_logical_replication_slot('${name}_outbox', 'test_decoding')`,
    );
    await expect(server.restart()).rejects.toMatchObject({ code: "DATABASE_NOT_OURS" });
    await server.stop();
    const left =
      "select datname::text as value from pg_database where datname like 'monolith%' union all select slot_name from pg_replication_slots";
    expect(await query(theirs.adminUrl(), left)).toEqual([]);
    expect(run.record.databases).toEqual([]);

    const forgotten = await openRun();
    await (await start(forgotten)).createDatabase("monolith");
    expect(await query(theirs.adminUrl(), left)).toHaveLength(1);
    await forgotten.close();
    expect(await query(theirs.adminUrl(), left)).toEqual([]);

    await query(theirs.adminUrl(), "create role weak login password 'weak' createdb");
    vi.stubEnv("DATABASE_URL", theirs.adminUrl().replace(/\/\/[^@]*@/, "//weak:weak@"));
    await expect(start(await openRun())).rejects.toMatchObject({
      code: "DATABASE_NOT_PERMITTED",
      message: expect.stringContaining('Role "weak" of PostgreSQL at') as string,
    });
    await theirs.stop();
  },
);

test.each([
  ["mysql://root@127.0.0.1/x", "DATABASE_URL_INVALID"],
  ["not a url", "DATABASE_URL_INVALID"],
  ["postgresql://someone:secret@127.0.0.1:1/x", "DATABASE_UNREACHABLE"],
])("DATABASE_URL %s is refused with %s, and its password is not repeated", async (url, code) => {
  vi.stubEnv("DATABASE_URL", url);
  const error = await start(await openRun()).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code });
  expect(String(error)).not.toContain("secret");
});
