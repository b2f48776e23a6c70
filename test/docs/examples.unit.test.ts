import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { codeBlocks, type Document, documentAt, DOCUMENTS, ROOT } from "./markdown";

/** A file that a document shows: a block of TypeScript that begins with its path. */
interface ShownFile {
  path: string;
  text: string;
}

const SHOWN = /^\/\/ ((?:domains|migrations|scenario)\/\S+\.ts)\n/;

function shownFiles(document: Document): ShownFile[] {
  return codeBlocks(document).flatMap(({ language, code }) => {
    const [, path] = (language === "ts" && SHOWN.exec(code)) || [];
    return path === undefined ? [] : [{ path, text: code }];
  });
}

/** Where a document shows one file in several versions, each is a project with all other files. */
function projectsOf(files: readonly ShownFile[]): Map<string, string>[] {
  const versions = Math.max(...files.map(({ path }) => files.filter((file) => file.path === path).length));
  return Array.from({ length: versions }, (_, version) => {
    const project = new Map<string, string>();
    for (const path of new Set(files.map((file) => file.path))) {
      const all = files.filter((file) => file.path === path);
      project.set(join(ROOT, path), (all[version] ?? all[0])?.text ?? "");
    }
    return project;
  });
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile) as { config: object };
  const { tsBuildInfoFile: _file, ...options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT).options;
  return { ...options, noEmit: true, incremental: false };
}

/** Compiles the shown files as if domains/, migrations/ and scenario/ held these and nothing else. */
function errorsIn(project: ReadonlyMap<string, string>): string[] {
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const isTeams = (path: string) => /^(domains|migrations|scenario)\//.test(path.slice(ROOT.length + 1));
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  host.fileExists = (path) => (isTeams(path) ? project.has(path) : fileExists(path));
  host.readFile = (path) => (isTeams(path) ? project.get(path) : readFile(path));
  host.directoryExists = (path) =>
    [...project.keys()].some((file) => file.startsWith(join(path, "/"))) || (directoryExists?.(path) ?? true);
  host.getSourceFile = (path, language) => {
    if (!isTeams(path)) return getSourceFile(path, language);
    const text = project.get(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, language);
  };
  const program = ts.createProgram([...project.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file ? ts.getLineAndCharacterOfPosition(file, start).line + 1 : 0;
    const message = ts.flattenDiagnosticMessageText(messageText, "\n");
    return `${file?.fileName.slice(ROOT.length + 1)}:${line}: ${message}`;
  });
}

describe.each(DOCUMENTS.filter((document) => shownFiles(document).length > 0))("$path", (document) => {
  test("shows files that compile together, whatever domains the project has", { timeout: 120_000 }, () => {
    expect(projectsOf(shownFiles(document)).flatMap(errorsIn)).toEqual([]);
  });
});

test("an example that does not compile is reported with its file and line", () => {
  const path = "domains/suppliers/index.ts";
  const broken = shownFiles(documentAt("docs/domains.md")).map((file) =>
    file.path === path ? { path, text: file.text.replace('"SupplierAdded"', '"SupplierTouched"') } : file,
  );
  expect(projectsOf(broken).flatMap(errorsIn)).toEqual([
    expect.stringMatching(/^domains\/suppliers\/index\.ts:\d+: .*SupplierTouched/),
    expect.stringMatching(/^domains\/suppliers\/index\.ts:\d+: .*SupplierTouched/),
  ]);
});

test("the two stores' versions of a domain differ only in the function that registers it", () => {
  const versions = shownFiles(documentAt("docs/domains.md")).filter(
    ({ path }) => path === "domains/suppliers/index.ts",
  );
  const [postgres = "", dynamodb = "", ...more] = versions.map(({ text }) => text);
  expect(more).toEqual([]);
  expect(dynamodb).not.toBe(postgres);
  expect(dynamodb.replaceAll("microservice", "monolithModule")).toBe(postgres);
});
