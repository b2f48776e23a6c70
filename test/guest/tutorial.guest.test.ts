import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyProject, type ProjectCopy } from "./project-copy";

/** The README's section "Add a domain", as typed: its files, then its commands. */
let copy: ProjectCopy;
let files: string[];
beforeAll(() => {
  copy = copyProject();
  const section =
    /^## Add a domain\n([\s\S]*?)^### /m.exec(readFileSync(join(copy.root, "README.md"), "utf8"))?.[1] ?? "";
  const blocks = [...section.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)];
  files = blocks.map(([, path = "", text = ""]) => {
    mkdirSync(dirname(join(copy.root, path)), { recursive: true });
    writeFileSync(join(copy.root, path), text);
    return path;
  });
});
afterAll(() => copy.remove());

describe("the README's tutorial, as typed", () => {
  test("makes one folder, and edits nothing outside it", () => {
    expect(files).toEqual(["domains/loyalty/contract.ts", "domains/loyalty/index.ts"]);
  });

  test("is formatted, linted, and within the layers", async () => {
    await copy.run("check");
  });

  test("runs: customers are copied, an account is opened and gets points, what is unknown is rejected", async () => {
    const system = await startSystem(copy.root);
    try {
      const send = (...args: string[]) => domains(copy.root, "send", "loyalty", ...args);
      const [customer] = JSON.parse(domains(copy.root, "show", "loyalty", "customers").stdout) as {
        id: string;
      }[];
      const accountId = customer?.id ?? "";
      expect(JSON.parse(send("openAccount", JSON.stringify({ accountId })).stdout)).toMatchObject({
        outcome: "done",
        changes: [{ aggregate: "loyalty.Account", event: "AccountOpened", version: 1 }],
      });
      expect(JSON.parse(send("grantPoints", JSON.stringify({ accountId, points: 5 })).stdout)).toMatchObject({
        outcome: "done",
        changes: [{ event: "PointsGranted", version: 2 }],
      });
      expect(JSON.parse(send("openAccount", JSON.stringify({ accountId })).stdout)).toMatchObject({
        outcome: "rejected",
        code: "ACCOUNT_EXISTS",
      });
      const nobody = "00000000-0000-4000-8000-000000000000";
      expect(JSON.parse(send("openAccount", JSON.stringify({ accountId: nobody })).stdout)).toMatchObject({
        outcome: "rejected",
        code: "CUSTOMER_UNKNOWN",
      });
    } finally {
      await system.stop();
    }
  });

  test("leaves every test green", async () => {
    await copy.run("test");
  });
});

interface RunningSystem {
  stop(): Promise<void>;
}

/** Starts the system as `npm start` does, and resolves when the scenario is told. */
async function startSystem(cwd: string): Promise<RunningSystem> {
  execFileSync("npm", ["run", "--silent", "build"], { cwd, stdio: "inherit" });
  const child = spawn(process.execPath, [join(cwd, "dist", "local", "main.js")], {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (data: Buffer) => {
      said += data.toString();
      if (said.includes("Ctrl-C stops everything.")) resolve();
    });
    child.on("close", (code) => reject(new Error(`It ended with ${code}:\n${said}`)));
  });
  expect(said).toContain("All held.");
  return {
    async stop() {
      child.kill("SIGINT");
      await ended;
    },
  };
}

/** Runs the `domains` command; one that is refused ends with code 2. */
function domains(cwd: string, ...args: string[]): { stdout: string } {
  try {
    const stdout = execFileSync("npm", ["run", "--silent", "domains", "--", ...args], {
      cwd,
      encoding: "utf8",
    });
    return { stdout };
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    if (status === 2) return { stdout };
    throw error;
  }
}
