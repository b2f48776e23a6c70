import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheFolder, liveRuns, openRunDirectory } from "../../../../dist/local/servers/run/run-directory.js";
import { temporaryFolder } from "../temporary-folder";

test("a run has a folder with a record that names its runner, readable by its owner only", async () => {
  const project = temporaryFolder();
  const run = await openRunDirectory(project);
  const file = join(run.path, "run.json");
  expect(run.path).toBe(join(project, ".domains", "runs", run.id));
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
    id: run.id,
    runner: { pid: process.pid },
    children: [],
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await run.close();
});

test("an update adds keys at once and removes those set to undefined", async () => {
  const run = await openRunDirectory(temporaryFolder());
  run.update({ endpoint: "http://127.0.0.1:1", note: { any: ["json"] } });
  run.update(({ endpoint }) => ({ endpoint: `${String(endpoint)}/x`, note: undefined }));
  const written = JSON.parse(readFileSync(join(run.path, "run.json"), "utf8")) as object;
  expect(written).toMatchObject({ endpoint: "http://127.0.0.1:1/x" });
  expect(written).not.toHaveProperty("note");
  await run.close();
});

test("live runs are listed newest first, and only while they are open", async () => {
  const project = temporaryFolder();
  expect(liveRuns(project)).toEqual([]);
  const first = await openRunDirectory(project);
  first.update({ startedAt: "2020-01-01T00:00:00.000Z" });
  const second = await openRunDirectory(project);
  expect(liveRuns(project).map(({ id }) => id)).toEqual([second.id, first.id]);
  expect(liveRuns(project)[0]?.path).toBe(second.path);
  await second.close();
  expect(liveRuns(project).map(({ id }) => id)).toEqual([first.id]);
  await first.close();
});

test("a run whose runner's pid now belongs to another process is not live", async () => {
  const project = temporaryFolder();
  const run = await openRunDirectory(project);
  run.update({ runner: { pid: process.pid, start: "1" } });
  expect(liveRuns(project)).toEqual([]);
  await run.close();
});

test("closing removes the run's folder and its data folders elsewhere, once", async () => {
  const run = await openRunDirectory(temporaryFolder());
  const data = temporaryFolder();
  writeFileSync(join(data, "file"), "");
  run.update({ dataFolders: [data] });
  await Promise.all([run.close(), run.close()]);
  run.update({ late: true });
  expect(() => run.closing.throwIfAborted()).toThrow(`Run "${run.id}" was stopped`);
  expect([existsSync(run.path), existsSync(data)]).toEqual([false, false]);
});

test("the cache is beside the runs", () => {
  expect(cacheFolder("/project")).toBe(join("/project", ".domains", "cache"));
});
