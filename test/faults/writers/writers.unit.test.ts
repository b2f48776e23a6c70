import { expect, test } from "vitest";
import { openFaultSchedule } from "../../../dist/test/faults/plan/fault-schedule.js";
import type { Scene } from "../../../dist/test/faults/plan/incidents.js";
import { makeWriters } from "../../../dist/test/faults/writers/write-under-faults.js";
import { openGate } from "../../../dist/test/faults/writers/gate.js";

/** A system that answers every command, and whose database does not come up again once it is killed. */
function brokenScene(): Scene {
  const schedule = openFaultSchedule({ seed: 1, rate: 0 });
  const login = { username: "application", password: "secret" };
  const system = {
    database: { host: "127.0.0.1", port: 1, name: "shop", application: login },
    send: () => Promise.resolve({ outcome: "done", id: "1", changes: [] }),
    servers: { postgres: { restart: () => Promise.reject(new Error("It does not come up again.")) } },
  };
  return { system, schedule, writers: openGate() } as unknown as Scene;
}

test("an incident that fails ends the run with its error, though writers would have more to write", async () => {
  const incidents = [{ kind: "PostgreSQL killed", atOperation: 3 }] as const;
  const writers = makeWriters(brokenScene(), {
    seed: 1,
    operationAt: () => ({ kind: "command", requestId: "1", domain: "any", command: "any", input: {} }),
    concurrency: 2,
    incidents,
  });
  await expect(writers.writeUntil(() => false)).rejects.toThrow("It does not come up again.");
  expect(writers.begun()).toBeLessThan(20);
});
