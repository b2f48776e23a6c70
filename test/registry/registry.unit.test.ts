import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadDomains } from "../../dist/domains/registry.js";
import { errorCode } from "../../dist/runtime/function/coded-error.js";
import { temporaryFolder } from "../support/temporary-folder";

const parent = temporaryFolder();
const RUNTIME = JSON.stringify(join(__dirname, "..", "..", "dist", "runtime"));
const REMEDY = "Export `domain = monolithModule({...})` or `domain = microservice({...})` from its index.ts.";

/** A folder of domain folders, each with this index.js; without text, without index.js. */
function domainFolders(folders: Record<string, string | undefined>): string {
  const root = mkdtempSync(join(parent, "domains-"));
  for (const [name, text] of Object.entries(folders)) {
    mkdirSync(join(root, name));
    if (text !== undefined) writeFileSync(join(root, name, "index.js"), text);
  }
  return root;
}

/** The text of a domain that registers nothing. */
function empty(kind: "microservice" | "monolithModule", name: string): string {
  return `exports.domain = require(${RUNTIME} + "/domain.js").${kind}(
    { name: ${JSON.stringify(name)}, tables: {}, events: [], subscriptions: {}, commands: {} });`;
}

function errorOf(folder: string): Error {
  try {
    loadDomains(folder);
  } catch (error) {
    return error as Error;
  }
  throw new Error("The domains were accepted.");
}

test("Every folder is a domain: nothing else names it", () => {
  const folder = domainFolders({
    zoo: empty("microservice", "zoo"),
    arts: empty("monolithModule", "arts"),
    press: empty("microservice", "press"),
  });
  writeFileSync(join(folder, "registry.js"), "throw new Error('files are not loaded')");
  const { modules, microservices } = loadDomains(folder);
  expect(modules.map(({ name }) => name)).toEqual(["arts"]);
  expect(microservices.map(({ name }) => name)).toEqual(["press", "zoo"]);
});

test("The sample landscape is valid", () => {
  const { modules, microservices } = loadDomains();
  expect(modules.map(({ name }) => name)).toEqual(["catalog", "customers"]);
  expect(microservices.map(({ name }) => name)).toEqual(["orders", "shipping"]);
});

test("A folder without a definition is refused, with how to write one", () => {
  const folder = domainFolders({ arts: "exports.arts = {};", press: "exports.domain = { name: 'press' };" });
  expect(errorOf(folder).message).toBe(
    [
      "The domains have 2 fault(s); nothing was created:",
      `  - domains/arts: the folder has no definition of a domain. ${REMEDY}`,
      `  - domains/press: the folder has no definition of a domain. ${REMEDY}`,
    ].join("\n"),
  );
});

test("A folder whose code throws is refused with what it threw", () => {
  const folder = domainFolders({ arts: "throw new Error('Book is not defined');" });
  expect(errorOf(folder).message).toBe(
    `The domains have 1 fault(s); nothing was created:\n  - domains/arts: the folder cannot be loaded: Book is not defined. ${REMEDY}`,
  );
});

test("A folder without index.ts is refused", () => {
  expect(errorOf(domainFolders({ arts: undefined })).message).toMatch(
    /^The domains have 1 fault\(s\); nothing was created:\n {2}- domains\/arts: the folder cannot be loaded: Cannot find module '.*arts'\. Export `domain = .*$/,
  );
});

test("A domain is named like its folder", () => {
  expect(errorOf(domainFolders({ arts: empty("microservice", "press") })).message).toBe(
    [
      "The domains have 1 fault(s); nothing was created:",
      '  - domains/arts: domain "press" is not named like its folder "arts". Rename one of the two.',
    ].join("\n"),
  );
});

test("All faults of all folders are told at once, under one code", () => {
  const folder = domainFolders({
    arts: "throw new Error('no arts');",
    press: "exports.domain = undefined;",
    monolith: empty("microservice", "monolith"),
    zoo: empty("microservice", "Zoo"),
  });
  const error = errorOf(folder);
  expect(errorCode(error)).toBe("DOMAINS_INVALID");
  expect(error.message.split("\n")).toEqual([
    "The domains have 5 fault(s); nothing was created:",
    `  - domains/arts: the folder cannot be loaded: no arts. ${REMEDY}`,
    `  - domains/press: the folder has no definition of a domain. ${REMEDY}`,
    '  - domains/monolith: domain "monolith" has a name that the stack uses itself. Choose another name.',
    '  - domains/zoo: domain "Zoo" has a name with characters that cannot be used. Use lower case letters, digits and hyphens, first a letter.',
    '  - domains/zoo: domain "Zoo" is not named like its folder "zoo". Rename one of the two.',
  ]);
});
