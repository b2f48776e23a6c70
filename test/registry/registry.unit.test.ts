import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadDomains } from "../../dist/domains/registry.js";
import { loadDomainsFrom } from "../../dist/registry/load-domains.js";
import { errorCode } from "../../dist/runtime/function/coded-error.js";
import { FIXTURE_DOMAINS } from "../../dist/test/fixtures/source.js";
import { temporaryFolder } from "../support/process/temporary-folder";

const root = join(__dirname, "..", "..");
const parent = temporaryFolder();
const RUNTIME = JSON.stringify(join(root, "dist", "runtime", "index.js"));
const REMEDY =
  'Export `domain = monolithModule("<name>", {...})` or `domain = microservice("<name>", {...})` from its index.ts.';

/** A folder of domain folders, each with this index.js; without text, without index.js. */
function domainFolders(folders: Record<string, string | undefined>): string {
  const made = mkdtempSync(join(parent, "domains-"));
  for (const [name, text] of Object.entries(folders)) {
    mkdirSync(join(made, name));
    if (text !== undefined) writeFileSync(join(made, name, "index.js"), text);
  }
  return made;
}

/** The text of a domain with one command, which changes nothing. */
function idle(kind: "microservice" | "monolithModule", name: string): string {
  return `const runtime = require(${RUNTIME});
    const input = () => require(${JSON.stringify(require.resolve("zod"))}).z.object({});
    const idle = runtime.command({ uses: {}, input, handle: async () => [] });
    exports.domain = runtime.${kind}(${JSON.stringify(name)}, { commands: { idle } });`;
}

function errorOf(folder: string): Error {
  try {
    loadDomainsFrom(folder);
  } catch (error) {
    return error as Error;
  }
  throw new Error("The domains were accepted.");
}

test("Every folder is a domain: nothing else names it", () => {
  const folder = domainFolders({
    zoo: idle("microservice", "zoo"),
    arts: idle("monolithModule", "arts"),
    press: idle("microservice", "press"),
  });
  writeFileSync(join(folder, "registry.js"), "throw new Error('files are not loaded')");
  const { all, modules, microservices } = loadDomainsFrom(folder);
  expect(all.map(({ name }) => name)).toEqual(["arts", "press", "zoo"]);
  expect(modules.map(({ name }) => name)).toEqual(["arts"]);
  expect(microservices.map(({ name }) => name)).toEqual(["press", "zoo"]);
});

test("The fixture domains are valid, one of each kind", () => {
  const { modules, microservices } = loadDomainsFrom(FIXTURE_DOMAINS.domains);
  expect(modules.map(({ name }) => name)).toEqual(["members"]);
  expect(microservices.map(({ name }) => name)).toEqual(["loans"]);
});

test("The program has the domains whose folders are under domains/, and they are valid together", () => {
  const entries = readdirSync(join(root, "domains"), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(loadDomains().all.map(({ name }) => name)).toEqual(folders.sort());
});

test("A folder without a definition is refused, with how to write one", () => {
  const folder = domainFolders({ arts: "exports.arts = {};", press: "exports.domain = { name: 'press' };" });
  expect(errorOf(folder).message).toBe(
    [
      "The domains have 2 fault(s); nothing was created:",
      `  - domains/arts: the folder does not export a domain. ${REMEDY}`,
      `  - domains/press: the folder does not export a domain. ${REMEDY}`,
    ].join("\n"),
  );
});

test.each([
  ["throw new Error('Book is not defined');", "Book is not defined"],
  ["throw undefined;", "undefined"],
])("A folder whose code throws is refused with what it threw: %s", (text, reason) => {
  expect(errorOf(domainFolders({ arts: text })).message).toBe(
    `The domains have 1 fault(s); nothing was created:\n  - domains/arts: the folder cannot be loaded: ${reason}. Fix the error in its code.`,
  );
});

test("A folder that imports what is not there is refused, naming that and not the folder", () => {
  const folder = domainFolders({ arts: 'require("./contract");' });
  expect(errorOf(folder).message.split("\n")[1]).toBe(
    "  - domains/arts: the folder cannot be loaded: Cannot find module './contract'. Fix the error in its code.",
  );
});

test("A folder without index.ts is refused", () => {
  expect(errorOf(domainFolders({ arts: undefined })).message).toBe(
    `The domains have 1 fault(s); nothing was created:\n  - domains/arts: the folder has no index.ts. ${REMEDY}`,
  );
});

test("A domain is named like its folder", () => {
  expect(errorOf(domainFolders({ arts: idle("microservice", "press") })).message).toBe(
    [
      "The domains have 1 fault(s); nothing was created:",
      '  - domains/arts: domain "press" is in the folder "arts". Give both the same name.',
    ].join("\n"),
  );
});

test("All faults of all folders are reported at once, folder by folder, under one code", () => {
  const folder = domainFolders({
    arts: "throw new Error('no arts');",
    press: "exports.domain = undefined;",
    monolith: idle("microservice", "monolith"),
    zoo: idle("microservice", "Zoo"),
  });
  const error = errorOf(folder);
  expect(errorCode(error)).toBe("DOMAINS_INVALID");
  expect(error.message.split("\n")).toEqual([
    "The domains have 5 fault(s); nothing was created:",
    "  - domains/arts: the folder cannot be loaded: no arts. Fix the error in its code.",
    '  - domains/monolith: domain "monolith" has a name that the stack reserves. Choose another name.',
    `  - domains/press: the folder does not export a domain. ${REMEDY}`,
    '  - domains/zoo: domain "Zoo" has a name with characters that cannot be used. Use lower case letters, digits and hyphens, starting with a letter.',
    '  - domains/zoo: domain "Zoo" is in the folder "zoo". Give both the same name.',
  ]);
});
