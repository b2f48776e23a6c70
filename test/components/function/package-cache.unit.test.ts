import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { cachedBundle } from "../../../dist/components/function/package-cache.js";
import { temporaryFolder } from "../../support/process/temporary-folder";

const HOUR_MILLISECONDS = 60 * 60 * 1_000;
const DAY_MILLISECONDS = 24 * HOUR_MILLISECONDS;

const project = temporaryFolder();
const folder = join(project, "cache");
const input = join(project, "library.js");
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(input, "exports.one = 1;");
  setAge(input, HOUR_MILLISECONDS);
});

/** Takes a bundle from the cache; says how often it was made. */
async function bundled(key = "key", text = "bundle\nof two lines"): Promise<{ text: string; made: number }> {
  let made = 0;
  const make = () => {
    made += 1;
    return Promise.resolve({ text, inputs: [input] });
  };
  return { text: await cachedBundle(folder, key, make), made };
}

function setAge(path: string, milliseconds: number): void {
  const time = new Date(Date.now() - milliseconds);
  utimesSync(path, time, time);
}

test("A bundle is made once and then taken from the folder, whatever would be made now", async () => {
  expect(await bundled()).toEqual({ text: "bundle\nof two lines", made: 1 });
  expect(await bundled("key", "another")).toEqual({ text: "bundle\nof two lines", made: 0 });
});

test("A bundle under another key is another bundle", async () => {
  await bundled();
  expect(await bundled("other", "another")).toEqual({ text: "another", made: 1 });
});

test("A damaged entry is made again, wherever it is damaged", async () => {
  await bundled();
  const path = join(folder, "key.js");
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at += 1) {
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
    writeFileSync(path, damaged);
    expect(await bundled(), `byte ${at}`).toEqual({ text: "bundle\nof two lines", made: 1 });
  }
  for (const length of [0, 1, 64, 65, whole.length - 1]) {
    truncateSync(path, length);
    expect(await bundled(), `${length} bytes`).toEqual({ text: "bundle\nof two lines", made: 1 });
  }
  expect((await bundled()).made).toBe(0);
});

test.each([
  ["has other content", () => writeFileSync(input, "exports.one = 2;")],
  ["is gone", () => rmSync(input)],
])("A bundle is made again when a file in it %s", async (_what, change) => {
  await bundled();
  change();
  expect((await bundled()).made).toBe(1);
});

test("A bundle whose file changes while it is made is not kept", async () => {
  const make = () => {
    writeFileSync(input, "exports.one = 2;");
    return Promise.resolve({ text: "of the old file", inputs: [input] });
  };
  expect(await cachedBundle(folder, "key", make)).toBe("of the old file");
  expect(await bundled()).toMatchObject({ made: 1 });
});

test("Runs at the same time all get the bundle and leave one whole entry", async () => {
  const found = await Promise.all(Array.from({ length: 20 }, () => bundled()));
  expect(new Set(found.map(({ text }) => text))).toEqual(new Set(["bundle\nof two lines"]));
  expect(readdirSync(folder)).toEqual(["key.js"]);
  expect((await bundled()).made).toBe(0);
});

test("A folder that cannot be written costs only the time", async () => {
  writeFileSync(folder, "a file in its place");
  expect(await bundled()).toEqual({ text: "bundle\nof two lines", made: 1 });
  expect(await bundled()).toEqual({ text: "bundle\nof two lines", made: 1 });
});

test("A bundle that fails is not kept", async () => {
  await expect(cachedBundle(folder, "key", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(existsSync(folder)).toBe(false);
});

test("Entries that nobody has used for two weeks are removed, and files that a killed run left unfinished", async () => {
  await Promise.all(["old", "used"].map((key) => bundled(key)));
  writeFileSync(join(folder, "old.js.unfinished"), "");
  writeFileSync(join(folder, "new.js.unfinished"), "");
  for (const name of ["old.js", "used.js"]) setAge(join(folder, name), 15 * DAY_MILLISECONDS);
  setAge(join(folder, "old.js.unfinished"), 2 * HOUR_MILLISECONDS);
  expect((await bundled("used")).made).toBe(0);
  await bundled("new");
  expect(readdirSync(folder).sort()).toEqual(["new.js", "new.js.unfinished", "used.js"]);
});

test("Of many entries those used last are kept, and all of the last hour", async () => {
  mkdirSync(folder);
  const names = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(3, "0")}.js`);
  const [recent, older] = [names("recent", 200), names("older", 100)];
  for (const name of [...recent, ...older]) writeFileSync(join(folder, name), "");
  for (const [index, name] of older.entries()) setAge(join(folder, name), DAY_MILLISECONDS + index);
  await bundled("new");
  expect(readdirSync(folder).sort()).toEqual(["new.js", ...older.slice(0, 55), ...recent].sort());
  for (const name of names("more", 100)) writeFileSync(join(folder, name), "");
  await bundled("newer");
  expect(readdirSync(folder).sort()).toEqual(["new.js", "newer.js", ...recent, ...names("more", 100)].sort());
});
