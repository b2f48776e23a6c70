import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GUARANTEES } from "../../dist/test/verdict/guarantees.js";
import { DOCUMENTS, documentAt, filesBelow, inlineCode, ROOT, tableCells } from "./markdown";

const MOST_CELL_CHARACTERS = 100;
const MOST_DECISION_LINES = 20;
/** Made from the name of an aggregate or a constraint, so no code has it as a whole. */
const STANDARD_REJECTION = /_(UNKNOWN|EXISTS|VIOLATED|RAISED)$/;

const code = filesBelow()
  .filter((path) => /\.(ts|mts|mjs)$/.test(path) && !path.startsWith("test/docs/"))
  .map((path) => readFileSync(join(ROOT, path), "utf8"))
  .join("\n");

describe("the page of guarantees", () => {
  const { prose } = documentAt("docs/guarantees.md");

  test.each(Object.entries(GUARANTEES))(
    "has a section about %s that begins with its sentence",
    (name, sentence) => {
      const [, section = ""] =
        new RegExp(`^### ${name}\\n([\\s\\S]*?)(?=^#|$(?![\\s\\S]))`, "m").exec(prose) ?? [];
      expect(section.trim().split("\n\n")[0]?.replaceAll("\n", " ")).toBe(sentence);
    },
  );

  test("has no sections about others", () => {
    const named = [...prose.matchAll(/^### ([A-Z_]+)$/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(Object.keys(GUARANTEES).sort());
  });
});

describe.each(DOCUMENTS)("In $path", (document) => {
  test("every error code and variable that is named is in the code", () => {
    const named = inlineCode(document).filter((one) => /^[A-Z]+(_[A-Z]+)+$/.test(one));
    const own = named.filter((one) => !STANDARD_REJECTION.test(one));
    expect(own.filter((one) => !code.includes(one))).toEqual([]);
  });

  test("every table can be read as text", () => {
    expect(tableCells(document).filter((cell) => cell.length > MOST_CELL_CHARACTERS)).toEqual([]);
  });
});

test("every decision is short, and says its context, the decision and the consequences", () => {
  const decisions = DOCUMENTS.filter(({ path }) => path.startsWith("docs/decisions/"));
  expect(decisions.length).toBeGreaterThan(0);
  for (const { path, text } of decisions) {
    expect(text.trim().split("\n").length, path).toBeLessThan(MOST_DECISION_LINES);
    for (const part of ["**Context.**", "**Decision.**", "**Consequences.**"])
      expect(text, path).toContain(part);
    expect(text, path).toMatch(new RegExp(`^# ${Number(path.split("/").at(-1)?.slice(0, 4))}\\. `));
  }
});
