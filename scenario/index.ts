import type { Scenario } from "../local/run/scenario";
import { effects } from "./effects";
import { tellShop } from "./shop";
import { operationAt, PRIVATE_MARKS } from "./writers";

/**
 * The sample shop's scenario. A project that deletes the shop deletes this folder too, or puts its own
 * scenario here.
 */
export const scenario: Scenario = {
  title: "a day of the shop",
  domains: ["customers", "catalog", "orders", "shipping"],
  tell: tellShop,
  operationAt,
  privateMarks: Object.fromEntries(Object.entries(PRIVATE_MARKS).map(([domain, mark]) => [domain, [mark]])),
  known: { effects, mostEventsPerCommand: 1 },
};
