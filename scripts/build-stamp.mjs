// What dist/ was compiled from and what it held afterwards. Comparing that with the files takes some milliseconds; the
// compiler needs seconds to find out that there is nothing to do.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const STAMP = join(ROOT, "dist", ".stamp.json");
const BUILD_INFO = join(ROOT, "dist", ".tsbuildinfo");
/** Besides the sources: how they are compiled, and with which packages. */
const SETTINGS = ["tsconfig.json", "package.json", "package-lock.json", "node_modules/.package-lock.json"];
const OUTPUT = /\.(js|d\.ts|js\.map)$/;
/** File systems give the time of a change in steps of up to two seconds. */
const CLOCK_STEP_MILLISECONDS = 2_000;

/** Whether dist/ holds what the compiler would make of the sources. */
export function isUpToDate() {
  const stamp = readStamp();
  const { inputs, outputs, read } = filesNow(stamp);
  if (!stamp.compiled || !isSame(inputs, stamp.inputs) || !isSame(outputs, stamp.outputs)) return false;
  // Where only times had changed: so that the files need not be read the next time.
  if (read > 0) {
    try {
      writeStamp({ compiled: true, inputs, outputs });
    } catch {
      // On a full or read-only disk, they are read again.
    }
  }
  return true;
}

/** The sources as they are now, for `stampBuild` after their compilation. */
export function currentSources() {
  return filesNow(readStamp()).inputs;
}

/** Makes the compiler write everything where somebody else changed or removed outputs: it would believe them to be there. */
export function distrustChangedOutputs() {
  const stamp = readStamp();
  if (!isSame(filesNow(stamp).outputs, stamp.outputs)) rmSync(BUILD_INFO, { force: true });
}

/**
 * Stamps dist/ after a compilation of these sources; one that failed is stamped as failed, with what it has written. Outputs
 * whose source is gone are removed, so that a deleted domain folder does not live on in dist/domains.
 */
export function stampBuild(compiled, inputs) {
  removeOrphans("dist");
  const { outputs } = filesNow(readStamp());
  const imported = compiledFiles().filter((path) => !(path in inputs));
  writeStamp({ compiled, inputs: { ...inputs, ...recordsOf(imported).files }, outputs });
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(STAMP, "utf8"));
  } catch {
    return { compiled: false, inputs: {}, outputs: {} };
  }
}

function writeStamp(stamp) {
  const unfinished = `${STAMP}.${process.pid}`;
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(unfinished, JSON.stringify(stamp));
  renameSync(unfinished, STAMP);
}

function filesNow({ inputs, outputs }) {
  const { include } = JSON.parse(readFileSync(join(ROOT, "tsconfig.json"), "utf8"));
  const sources = include
    .flatMap((path) => (path.endsWith(".ts") ? [path] : filesUnder(path)))
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
  // The stamp knows files that were compiled because others import them.
  const found = recordsOf([...new Set([...SETTINGS, ...sources, ...Object.keys(inputs)])], inputs);
  const dist = filesUnder("dist").filter((path) => OUTPUT.test(path));
  const made = recordsOf(dist, outputs);
  return { inputs: found.files, outputs: made.files, read: found.read + made.read };
}

/** Size, time and hash of the files that there are. One that has the size and time of the stamp is not read again. */
function recordsOf(paths, stamped = {}) {
  const now = Date.now();
  const files = {};
  let read = 0;
  for (const path of paths) {
    const file = statSync(join(ROOT, path), { throwIfNoEntry: false });
    if (!file) continue;
    const { size, mtimeMs } = file;
    const known = stamped[path];
    if (
      known?.size === size &&
      known.mtimeMs === mtimeMs &&
      mtimeMs < known.readAt - CLOCK_STEP_MILLISECONDS
    ) {
      files[path] = known;
    } else {
      files[path] = { size, mtimeMs, readAt: now, hash: hashOf(join(ROOT, path)) };
      read += 1;
    }
  }
  return { files, read };
}

function isSame(files, others) {
  const paths = Object.keys(files);
  const sameFile = (path) => files[path].hash === others[path]?.hash;
  return paths.length === Object.keys(others).length && paths.every(sameFile);
}

function hashOf(path) {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** The project's own files that the compiler has taken. */
function compiledFiles() {
  try {
    const { fileNames } = JSON.parse(readFileSync(BUILD_INFO, "utf8"));
    return fileNames
      .filter((path) => !path.includes("node_modules"))
      .map((path) => path.replace(/^\.\.\//, ""));
  } catch {
    return [];
  }
}

function removeOrphans(folder) {
  for (const entry of readFolder(folder)) {
    const path = `${folder}/${entry.name}`;
    const source = join(ROOT, path.slice("dist/".length).replace(OUTPUT, ".ts"));
    const hasSource = statSync(source, { throwIfNoEntry: false }) !== undefined;
    if (entry.isDirectory() && hasSource) removeOrphans(path);
    else if (!hasSource && (entry.isDirectory() || OUTPUT.test(entry.name)))
      rmSync(join(ROOT, path), { recursive: true, force: true });
  }
}

function filesUnder(folder) {
  return readFolder(folder).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

function readFolder(folder) {
  try {
    return readdirSync(join(ROOT, folder), { withFileTypes: true });
  } catch {
    return [];
  }
}
