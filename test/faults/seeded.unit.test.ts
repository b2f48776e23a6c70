import { describe, expect, test } from "vitest";
import { FAULT_KINDS } from "../../dist/test/faults/plan/fault-kinds.js";
import { openFaultSchedule } from "../../dist/test/faults/plan/fault-schedule.js";
import { planIncidents } from "../../dist/test/faults/plan/incidents.js";
import { randomStream, seededUuid } from "../../dist/test/faults/plan/random.js";

const KINDS = ["call cut", "call delayed"] as const;
const draws = (seed: number, site: string, times: number) => {
  const schedule = openFaultSchedule({ seed, rate: 0.3 });
  return Array.from({ length: times }, () => schedule.draw(site, KINDS));
};

describe("the same seed", () => {
  test("gives the same decisions at a site, whatever happens at others", () => {
    const schedule = openFaultSchedule({ seed: 7, rate: 0.3 });
    const mixed = Array.from({ length: 200 }, () => {
      schedule.draw("elsewhere", KINDS);
      return schedule.draw("here", KINDS);
    });
    expect(mixed).toEqual(draws(7, "here", 200));
    expect(mixed).not.toEqual(draws(8, "here", 200));
  });

  test("gives the same incidents, in their order", () => {
    expect(planIncidents(3, 900)).toEqual(planIncidents(3, 900));
    const points = planIncidents(3, 900).map(({ atOperation }) => atOperation);
    expect(points).toEqual([...points].sort((one, other) => one - other));
  });

  test("gives the same ids, which are UUIDs", () => {
    expect(seededUuid(1, "customer 1")).toBe(seededUuid(1, "customer 1"));
    expect(seededUuid(1, "customer 1")).not.toBe(seededUuid(1, "customer 2"));
    expect(seededUuid(1, "x")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe("the schedule", () => {
  test("counts what it injects, by kind", () => {
    const schedule = openFaultSchedule({ seed: 1, rate: 1 });
    schedule.draw("here", ["call cut"]);
    schedule.draw("here", ["call cut"]);
    schedule.count("PostgreSQL killed");
    expect(schedule.injected()).toEqual({ "PostgreSQL killed": 1, "call cut": 2 });
    expect(schedule.total()).toBe(3);
  });

  test("injects nothing while it is paused, and then continues where it was", () => {
    const schedule = openFaultSchedule({ seed: 7, rate: 0.3 });
    const before = Array.from({ length: 50 }, () => schedule.draw("here", KINDS));
    schedule.pause();
    expect(Array.from({ length: 50 }, () => schedule.draw("here", KINDS)).every((one) => !one)).toBe(true);
    schedule.resume();
    const after = Array.from({ length: 50 }, () => schedule.draw("here", KINDS));
    expect([...before, ...after]).toEqual(draws(7, "here", 100));
  });
});

test("every kind of fault says what happens", () => {
  for (const what of Object.values(FAULT_KINDS)) expect(what.length).toBeGreaterThan(20);
});

test("a shuffled list has the same items", () => {
  const items = Array.from({ length: 30 }, (_, index) => index);
  const shuffled = randomStream(1, "shuffle").shuffled(items);
  expect(shuffled).not.toEqual(items);
  expect([...shuffled].sort((one, other) => one - other)).toEqual(items);
});
