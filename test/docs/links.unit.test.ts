import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { anchors, DOCUMENTS, documentAt, filesBelow, inlineCode, links, ROOT } from "./markdown";

/** Folders that a team fills: documents name examples there. The registry stays. */
const OF_TEAMS = /^(domains|migrations|scenario)\/(?!registry\.ts$)/;
/** Made by a run or by the compiler. */
const GENERATED = /^(\.domains|dist|node_modules)\//;
/** A file with its folder, or a folder; a placeholder such as <name> or * makes it something else. */
const PATH = /^[\w.-]+(\/[\w.-]+)*(\/|\/[\w.-]+\.(ts|mts|mjs|cjs|md|json|yaml|sql))$/;

const sources = filesBelow().filter((path) => /\.(ts|mts|mjs|cjs|yaml)$/.test(path));
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

test("there are documents to check", () => {
  expect(DOCUMENTS.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["README.md", "ARCHITECTURE.md", "docs/domains.md", "docs/guarantees.md"]),
  );
  expect(links(documentAt("README.md")).length).toBeGreaterThan(10);
});

describe.each(DOCUMENTS)("In $path", (document) => {
  const { path } = document;
  const relative = links(document).filter((target) => !/^https?:/.test(target));
  const resolved = relative.map((target) => {
    const [file = "", anchor] = target.split("#");
    return { target, to: file ? normalize(join(dirname(path), file)) : path, anchor };
  });

  test("every relative link leads to a file or folder", () => {
    expect(resolved.filter(({ to }) => !existsSync(join(ROOT, to))).map(({ target }) => target)).toEqual([]);
  });

  test("every link to a section leads to a heading", () => {
    const toSections = resolved.filter(({ to, anchor }) => anchor !== undefined && to.endsWith(".md"));
    const broken = toSections.filter(({ to, anchor = "" }) => !anchors(documentAt(to)).includes(anchor));
    expect(broken.map(({ target }) => target)).toEqual([]);
  });

  test("every path between backticks exists", () => {
    const paths = inlineCode(document).filter((code) => PATH.test(code));
    const checked = paths.filter((code) => !OF_TEAMS.test(code) && !GENERATED.test(code));
    expect(checked.filter((code) => !existsSync(join(ROOT, code)))).toEqual([]);
  });

  test("every npm script that is named exists", () => {
    const named = [...document.text.matchAll(/npm (?:run|--silent run) (?:-s |--silent )?([a-z][\w:-]*)/g)];
    expect(named.map(([, name = ""]) => name).filter((name) => !scripts[name])).toEqual([]);
  });
});

test("every document that the code refers to exists", () => {
  const referred = sources.flatMap((path) =>
    [...readFileSync(join(ROOT, path), "utf8").matchAll(/\bdocs\/[\w/-]+\.md\b/g)].map(([to]) => ({
      path,
      to,
    })),
  );
  expect(referred.length).toBeGreaterThan(0);
  expect(referred.filter(({ to }) => !existsSync(join(ROOT, to)))).toEqual([]);
});
