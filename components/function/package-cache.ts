import { createHash, randomUUID } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** A bundle, and absolute paths of the files that it is made of. */
export interface Bundle {
  text: string;
  inputs: readonly string[];
}

const ENTRY = ".js";
const MOST_ENTRIES = 256;
const LONGEST_UNUSED_MILLISECONDS = 14 * 24 * 60 * 60 * 1_000;
/** File systems tell the time of a change in steps of up to two seconds. */
const CLOCK_STEP_MILLISECONDS = 2_000;
/** Whatever was written or used this lately stays: a large project needs it all, another run may be writing it. */
const RECENT_MILLISECONDS = 60 * 60 * 1_000;

/**
 * Takes a bundle from a cache folder, or makes it and keeps it for later runs. An entry that is damaged, or that
 * was made of files that have changed since, is made again. Several runs may use the folder at the same time.
 *
 * @param key names everything that the bundle depends on beside the files in it; part of a file name, so a hash
 */
export async function cachedBundle(
  folder: string,
  key: string,
  make: () => Promise<Bundle>,
): Promise<string> {
  const path = join(folder, key + ENTRY);
  const kept = readEntry(path);
  if (kept !== undefined) return kept;
  const startedAt = Date.now();
  const bundle = await make();
  try {
    writeEntry(path, bundle, startedAt);
    removeOldEntries(folder);
  } catch {
    // Without a cache (a folder that cannot be written, say) a run only takes longer.
  }
  return bundle.text;
}

/** An entry has the hash of what follows, then the states of its inputs, each on a line, then the bundle. */
function writeEntry(path: string, { text, inputs }: Bundle, startedAt: number): void {
  const states: Record<string, string> = {};
  for (const input of inputs) {
    const file = statSync(input);
    // It may have changed after it was bundled, and nobody could tell later.
    if (file.mtimeMs > startedAt - CLOCK_STEP_MILLISECONDS) return;
    states[input] = stateOf(file);
  }
  const content = `${JSON.stringify(states)}\n${text}`;
  const unfinished = `${path}.${randomUUID()}`;
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(unfinished, `${hashOf(content)}\n${content}`);
    // In one step: other runs see the whole entry or none.
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function readEntry(path: string): string | undefined {
  try {
    const [hash, content] = splitAtLineEnd(readFileSync(path, "utf8"));
    if (hash !== hashOf(content)) return undefined;
    const [states, text] = splitAtLineEnd(content);
    for (const [input, state] of Object.entries(JSON.parse(states) as Record<string, string>)) {
      if (stateOf(statSync(input)) !== state) return undefined;
    }
    // The time of its last use decides how long it is kept.
    utimesSync(path, new Date(), new Date());
    return text;
  } catch {
    // Not there, damaged, or an input is gone.
    return undefined;
  }
}

function removeOldEntries(folder: string): void {
  const now = Date.now();
  const newestFirst = readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => ({ path, age: now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) }))
    .sort((a, b) => a.age - b.age);
  for (const [index, { path, age }] of newestFirst.entries()) {
    const unused = index >= MOST_ENTRIES || age > LONGEST_UNUSED_MILLISECONDS || !path.endsWith(ENTRY);
    if (unused && age > RECENT_MILLISECONDS) rmSync(path, { force: true });
  }
}

/** What shows that a file has changed. */
function stateOf({ size, mtimeMs }: { size: number; mtimeMs: number }): string {
  return `${size} ${mtimeMs}`;
}

function splitAtLineEnd(text: string): [string, string] {
  const end = text.indexOf("\n");
  return [text.slice(0, end), text.slice(end + 1)];
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
