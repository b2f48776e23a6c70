import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const read = (name: string) => readFileSync(join(__dirname, "..", "..", name), "utf8");

test("allowScripts names packages without versions, which npm cannot tell from a lock file without addresses", () => {
  expect(read(".npmrc")).toContain("omit-lockfile-registry-resolved=true");
  const { allowScripts } = JSON.parse(read("package.json")) as { allowScripts: Record<string, boolean> };
  expect(Object.keys(allowScripts).filter((name) => name.lastIndexOf("@") > 0)).toEqual([]);
  const { packages } = JSON.parse(read("package-lock.json")) as {
    packages: Record<string, { hasInstallScript?: true }>;
  };
  const withScripts = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
  const names = withScripts.map((path) =>
    path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
  );
  expect(names.filter((name) => !(name in allowScripts))).toEqual([]);
});
