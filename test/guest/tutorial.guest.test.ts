import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyProject, DOMAIN_TESTS, type ProjectCopy } from "./project-copy";

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
    const { said, stop } = await copy.start();
    try {
      expect(said).toContain("All held.");
      const domains = async (...args: string[]): Promise<unknown> =>
        JSON.parse((await copy.run("domains", ...args)).stdout);
      const send = (command: string, input: object) =>
        domains("send", "loyalty", command, JSON.stringify(input));
      const [customer] = (await domains("show", "loyalty", "customers")) as { id: string }[];
      const accountId = customer?.id ?? "";
      expect(await send("openAccount", { accountId })).toMatchObject({
        outcome: "done",
        changes: [{ aggregate: "loyalty.Account", event: "AccountOpened", version: 1 }],
      });
      expect(await send("grantPoints", { accountId, points: 5 })).toMatchObject({
        outcome: "done",
        changes: [{ event: "PointsGranted", version: 2 }],
      });
      expect(await send("openAccount", { accountId })).toMatchObject({
        outcome: "rejected",
        code: "ACCOUNT_EXISTS",
      });
      const nobody = "00000000-0000-4000-8000-000000000000";
      expect(await send("openAccount", { accountId: nobody })).toMatchObject({
        outcome: "rejected",
        code: "CUSTOMER_UNKNOWN",
      });
    } finally {
      await stop();
    }
  });

  test("leaves every test green that sees the domains", async () => {
    await copy.run("test", ...DOMAIN_TESTS);
  });
});
