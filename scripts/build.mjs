// Compiles the project to dist/ (incrementally) and removes outputs whose source is gone, so that a deleted domain folder
// does not live on in dist/domains. Several runs may build side by side: tsc writes each file whole.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");

removeOrphans(dist);
// A project that was never compiled takes some seconds; say so rather than stand silent.
if (!existsSync(dist))
  process.stderr.write("Compiling the project (once; later runs compile only what changed) ...\n");
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const compiled = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.json")], {
  stdio: ["ignore", 2, 2],
});
process.exit(compiled.status ?? 1);

function removeOrphans(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const source = join(root, relative(dist, path));
    if (entry.isDirectory()) {
      if (existsSync(source)) removeOrphans(path);
      else rmSync(path, { recursive: true, force: true });
    } else if (/\.(js|d\.ts|js\.map)$/.test(entry.name)) {
      if (!existsSync(source.replace(/\.(js|d\.ts|js\.map)$/, ".ts"))) rmSync(path, { force: true });
    }
  }
}
