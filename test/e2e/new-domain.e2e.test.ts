import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OnceResult, runSystemOnce } from "./run-once";

const PROJECT_ROOT = join(__dirname, "..", "..");
/** Not part of the program, or made again in the copy. */
const LEFT_OUT = ["node_modules", ".git", ".domains", "coverage", "test", "docs"];

const CONTRACT = `
import { z } from "zod";
import { aggregate } from "../../runtime/define/aggregate";

export const Account = aggregate({
  domain: "loyalty",
  name: "Account",
  key: "customerId",
  state: () => z.object({ customerId: z.uuid(), points: z.int() }),
  events: { PointsEarned: { version: 1, change: () => z.object({ points: z.int() }) } },
});
`;

const INDEX = `
import { microservice } from "../../runtime/define/domain";
import { entityTable } from "../../runtime/define/table";
import { project } from "../../runtime/define/project";
import { react, reaction } from "../../runtime/define/react";
import { Customer } from "../customers/contract";
import { Order } from "../orders/contract";
import { Account } from "./contract";

const accounts = entityTable(Account);
const customers = project(Customer, (state) => ({ name: state.name }));

const earnPoints = reaction(Order, "OrderPlaced", {
  uses: { accounts },
  handle: async (event, { accounts }) => {
    const order = event.state;
    if (!order) return [];
    const account = await accounts.find(order.customerId);
    const change = { points: 10 };
    if (!account) return accounts.create("PointsEarned", change, { customerId: order.customerId, points: 10 });
    return accounts.update("PointsEarned", change, account, { points: account.points + 10 });
  },
});

export const domain = microservice({
  name: "loyalty",
  tables: { accounts },
  events: [Account],
  subscriptions: { customers, placed: react(Order, { OrderPlaced: earnPoints }) },
  commands: {},
});
`;

describe("a new domain folder, with nothing else edited", () => {
  let copy: string;
  let result: OnceResult;

  beforeAll(async () => {
    copy = mkdtempSync(join(tmpdir(), "domains-new-"));
    for (const name of readdirSync(PROJECT_ROOT)) {
      if (!LEFT_OUT.includes(name)) cpSync(join(PROJECT_ROOT, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(PROJECT_ROOT, "node_modules"), join(copy, "node_modules"));
    const cache = join(".domains", "cache");
    // The emulator is installed once for the project and its copy.
    mkdirSync(join(PROJECT_ROOT, cache), { recursive: true });
    mkdirSync(join(copy, ".domains"));
    symlinkSync(join(PROJECT_ROOT, cache), join(copy, cache));
    mkdirSync(join(copy, "domains", "loyalty"));
    writeFileSync(join(copy, "domains", "loyalty", "contract.ts"), CONTRACT);
    writeFileSync(join(copy, "domains", "loyalty", "index.ts"), INDEX);
    execFileSync(process.execPath, [join(copy, "scripts", "build.mjs")], { cwd: copy, stdio: "inherit" });
    result = await runSystemOnce(copy);
  });

  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  test("is deployed: its relay, its command function and a function for each subscription", () => {
    const functions = Object.keys(result.report.packageBytes);
    expect(functions.filter((name) => name.startsWith("loyalty")).sort()).toEqual([
      "loyalty-commands",
      "loyalty-on-customers",
      "loyalty-on-placed",
      "loyalty-relay",
    ]);
  });

  test("projects what it subscribes to, equal to its source field by field", () => {
    expect(result.report.faults).toEqual([]);
    expect(result.report.projections.tables["loyalty.customers"]).toEqual({ rows: 11, tombstones: 3 });
  });

  test("reacts once to every order that was placed", () => {
    const { OrderPlaced, PointsEarned } = result.report.events.publishedByType;
    expect(PointsEarned).toBe(OrderPlaced);
    expect(result.report.duplicated).toEqual([]);
  });
});
