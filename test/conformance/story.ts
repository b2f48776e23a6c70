import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { command } from "../../runtime";
import { answerCommand } from "../../runtime/command/handler";
import type { TableHandle } from "../../runtime/define/handles";
import { orderLines } from "../support/domain/order-line";
import type { Bank } from "./store-under-test";

const uses = { order_lines: orderLines };
const id = () => z.object({ orderID: z.string() });

/** A small domain, as a team would write it for either store. */
const COMMANDS = {
  place: command({
    uses,
    input: () =>
      z.object({
        orderID: z.string(),
        buyerName: z.string(),
        siteURL: z.string(),
        unitCostCents: z.int().optional(),
      }),
    handle: async (fields, { order_lines }) =>
      order_lines.create({ ...fields, address2: "2nd floor", lineCount: 1 }).raise("LinePlaced"),
  }),
  move: command({
    uses,
    input: () => id().extend({ siteURL: z.string() }),
    handle: async ({ orderID, siteURL }, { order_lines }) => {
      const line = await order_lines.get(orderID);
      if (line.siteURL === siteURL) return [];
      return order_lines
        .update(line, { siteURL, lineCount: line.lineCount + 1, unitCostCents: undefined })
        .raise("LineMoved", { fromURL: line.siteURL, toURL: siteURL });
    },
  }),
  cancelSite: command({
    uses,
    input: () => z.object({ siteURL: z.string() }),
    handle: async ({ siteURL }, { order_lines }) =>
      (await order_lines.where("siteURL", siteURL)).map((line) =>
        order_lines.remove(line).raise("LineCancelled", { reason: `${siteURL} is closed` }),
      ),
  }),
};

/** The same small domain has the same events and rows in any store. */
export function describeStory(name: string, bank: Bank): void {
  describe(`${name}: a small domain`, () => {
    test("has the same rows, events, states and answers as in any other store", async () => {
      const [orderID, siteURL, elsewhere] = [
        `line ${uuid()}`,
        `https://${uuid()}.example`,
        `https://${uuid()}.example`,
      ];
      const lines = bank.store().handles(uses)["order_lines"] as TableHandle<typeof orderLines>;
      const send = async (command: keyof typeof COMMANDS, input: object) => {
        const answer = await answerCommand("sales", COMMANDS, bank.store(), { command, input });
        return "changes" in answer
          ? answer.changes.map(({ version, event }) => `${version} ${event}`)
          : answer;
      };
      const placed = { orderID, buyerName: "Ada", siteURL, address2: "2nd floor", lineCount: 1 };
      const moved = { ...placed, siteURL: elsewhere, lineCount: 2 };

      expect(await send("move", { orderID, siteURL })).toMatchObject({
        outcome: "rejected",
        code: "ORDER_LINE_UNKNOWN",
        message: `There is no sales.OrderLine "${orderID}" here: it never existed, is not known yet, or is gone.`,
      });
      expect(await send("place", { orderID, buyerName: "Ada", siteURL, unitCostCents: 250 })).toEqual([
        "1 LinePlaced",
      ]);
      expect(await lines.find(orderID)).toEqual({ ...placed, unitCostCents: 250, version: 1 });
      expect(await send("place", { orderID, buyerName: "Eve", siteURL })).toMatchObject({
        outcome: "rejected",
        code: "ORDER_LINE_EXISTS",
        message: `The sales.OrderLine "${orderID}" exists. Use another id.`,
      });
      expect(await send("move", { orderID, siteURL })).toEqual([]);
      expect(await send("move", { orderID, siteURL: elsewhere })).toEqual(["2 LineMoved"]);
      const { unitCostCents, ...read } = await lines.get(orderID);
      expect(read).toEqual({ ...moved, version: 2 });
      expect(unitCostCents ?? undefined).toBeUndefined();
      expect(await send("cancelSite", { siteURL })).toEqual([]);
      expect(await lines.where("buyerName", "Ada")).toMatchObject([{ orderID, version: 2 }]);
      expect(await send("cancelSite", { siteURL: elsewhere })).toEqual(["3 LineCancelled"]);
      expect(await lines.find(orderID)).toBeUndefined();
      expect(await send("place", { orderID, buyerName: "Ada", siteURL })).toEqual(["4 LinePlaced"]);

      expect(
        (await bank.events(orderID)).map(({ aggregate, version, type, change, state }) => [
          `${aggregate} ${version} ${type}`,
          change,
          state,
        ]),
      ).toEqual([
        ["sales.OrderLine 1 LinePlaced", {}, placed],
        ["sales.OrderLine 2 LineMoved", { fromURL: siteURL, toURL: elsewhere }, moved],
        ["sales.OrderLine 3 LineCancelled", { reason: `${elsewhere} is closed` }, null],
        ["sales.OrderLine 4 LinePlaced", {}, placed],
      ]);
    });
  });
}
