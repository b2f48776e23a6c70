import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** An error that the compiler reports. */
interface Reported {
  line: number;
  code: number;
  text: string;
}

/**
 * An error that a fixture says it must report, above its line: `// error TS<code>: <rule>`, with a part of its text
 * in brackets.
 */
interface Expected {
  line: number;
  code: number;
  part: string;
  rule: string;
}

const EXPECTED = /^\s*\/\/ error TS(\d+)(?: \[(.+)\])?: (.+)$/;
const root = join(__dirname, "..", "..");
const folder = join(__dirname, "fixtures");
const fixtures = readdirSync(folder).map((name) => join(folder, name));
const program = ts.createProgram(fixtures, compilerOptions());

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile) as { config: object };
  const { tsBuildInfoFile: _file, ...options } = ts.parseJsonConfigFileContent(config, ts.sys, root).options;
  return { ...options, noEmit: true, incremental: false };
}

function reported(file: string): Reported[] {
  const source = program.getSourceFile(file);
  return program.getSemanticDiagnostics(source).map(({ code, start = 0, messageText }) => ({
    line: ts.getLineAndCharacterOfPosition(source!, start).line + 1,
    code,
    text: ts.flattenDiagnosticMessageText(messageText, "\n"),
  }));
}

function expectedIn(file: string): Expected[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, index) => {
    const [, code, part = "", rule] = EXPECTED.exec(line) ?? [];
    return code && rule ? [{ line: index + 2, code: Number(code), part, rule }] : [];
  });
}

describe.each(fixtures.map((file) => ({ name: basename(file, ".ts"), file })))(
  "In code about $name:",
  ({ file }) => {
    const errors = reported(file);
    const expected = expectedIn(file);

    test.each(expected)("$rule", ({ line, code, part }) => {
      expect(errors.filter((error) => error.line === line)).toEqual([
        { line, code, text: expect.stringContaining(part) as string },
      ]);
    });

    test("Everything else compiles", () => {
      const lines = expected.map(({ line }) => line);
      expect(errors.filter(({ line }) => !lines.includes(line))).toEqual([]);
    });
  },
);
