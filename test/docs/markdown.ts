import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(__dirname, "..", "..");
/** Not of the project's own making. */
const LEFT_OUT = ["node_modules", ".git", ".domains", "coverage", "dist"];

/** A document of the project. */
export interface Document {
  /** Below the project's folder, e.g. "docs/terms.md". */
  path: string;
  text: string;
  /** The text without blocks of code. */
  prose: string;
}

/** A block of code. */
export interface CodeBlock {
  /** E.g. "ts"; "" if the block does not say. */
  language: string;
  code: string;
}

/** Paths of all files of the project below a folder, with "/" between their parts. */
export function filesBelow(folder = ""): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (LEFT_OUT.includes(entry.name)) return [];
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const FENCED = /^( *)```(\w*)\n([\s\S]*?)^\1```$/gm;

/** Every Markdown file of the project. */
export const DOCUMENTS: readonly Document[] = filesBelow()
  .filter((path) => path.endsWith(".md"))
  .map((path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    return { path, text, prose: text.replace(FENCED, "") };
  });

/** The document with a path. */
export function documentAt(path: string): Document {
  const found = DOCUMENTS.find((document) => document.path === path);
  if (!found) throw new Error(`There is no document "${path}".`);
  return found;
}

export function codeBlocks({ text }: Document): CodeBlock[] {
  return [...text.matchAll(FENCED)].map(([, , language = "", code = ""]) => ({ language, code }));
}

/** What stands between backticks in the prose. */
export function inlineCode({ prose }: Document): string[] {
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
}

/** Targets of the links in the prose. */
export function links({ prose }: Document): string[] {
  return [...prose.replace(/`[^`\n]*`(?!\])/g, "").matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target = ""]) => target,
  );
}

/** The anchors of the headings, as GitHub makes them. */
export function anchors({ prose }: Document): string[] {
  const times = new Map<string, number>();
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-");
    const before = times.get(anchor) ?? 0;
    times.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

/** The cells of all tables in the prose. */
export function tableCells({ prose }: Document): string[] {
  const rows = prose.split("\n").filter((line) => /^\|.*\|$/.test(line));
  return rows.flatMap((row) =>
    row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}
