import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { codedError } from "../../../dist/runtime/function/coded-error.js";
import { waitUntilReady } from "../../../dist/local/servers/wait-until-ready.js";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder();

/** A server that ended with this as its last words, or that runs and gives these answers. */
function starting({ lastWords, answers = [] }: { lastWords?: string; answers?: (string | undefined)[] }) {
  const log = join(folder, "server.log");
  writeFileSync(log, `starting\n${lastWords ?? ""}\n`);
  return {
    name: "The server",
    child: { exit: () => (lastWords === undefined ? undefined : "exit code 1") },
    log,
    address: 'port "5432"',
    portTaken: /in use/,
    probe: () => Promise.resolve(answers.shift()),
    failed: (what: string) => codedError("SERVER_FAILED", what),
  };
}

test("a server is asked until it is ready", async () => {
  const answers = [undefined, undefined, "ready", "not asked for"];
  expect(await waitUntilReady(starting({ answers }))).toBe("ready");
  expect(answers).toEqual(["not asked for"]);
});

test.each([
  [
    "bind: address in use",
    "PORT_TAKEN",
    'The server cannot listen on port "5432": another process took the port. Start again',
  ],
  ["out of memory", "SERVER_FAILED", "The server ended while starting (exit code 1)"],
])("a server that ended with the words %o is told as %s", async (lastWords, code, message) => {
  await expect(waitUntilReady(starting({ lastWords }))).rejects.toMatchObject({ code, message });
});
