import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** An error that the compiler reports, or that a fixture says it must report: `// error TS<code>: <rule>`, above its line. */
interface Reported {
  line: number;
  code: number;
}

const root = join(__dirname, "..", "..");
const folder = join(__dirname, "fixtures");
const fixtures = readdirSync(folder).map((name) => join(folder, name));
const program = ts.createProgram(fixtures, compilerOptions());

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile) as { config: object };
  const { tsBuildInfoFile: _file, ...options } = ts.parseJsonConfigFileContent(config, ts.sys, root).options;
  return { ...options, noEmit: true, incremental: false };
}

function reported(file: string): (Reported & { text: string })[] {
  const source = program.getSourceFile(file);
  return program.getSemanticDiagnostics(source).map(({ code, start = 0, messageText }) => ({
    line: ts.getLineAndCharacterOfPosition(source!, start).line + 1,
    code,
    text: ts.flattenDiagnosticMessageText(messageText, "\n"),
  }));
}

function expectedIn(file: string): (Reported & { rule: string })[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, index) => {
    const [, code, rule] = /^\s*\/\/ error TS(\d+): (.+)$/.exec(line) ?? [];
    return code && rule ? [{ line: index + 2, code: Number(code), rule }] : [];
  });
}

describe.each(fixtures.map((file) => ({ name: basename(file, ".ts"), file })))(
  "In code about $name:",
  ({ file }) => {
    const errors = reported(file);
    const expected = expectedIn(file);

    test.each(expected)("$rule", ({ line, code }) => {
      expect(errors.filter((error) => error.line === line)).toMatchObject([{ code }]);
    });

    test("Everything else compiles", () => {
      const lines = expected.map(({ line }) => line);
      expect(errors.filter(({ line }) => !lines.includes(line))).toEqual([]);
    });
  },
);
