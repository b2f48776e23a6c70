import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  childTraceparent,
  currentData,
  newTraceparent,
  readCloudEvent,
  toCloudEvent,
} from "../../../runtime/envelope/cloud-event";
import { aggregate } from "../../../runtime/define/aggregate";
import { bridgeEvent, cloudEvent } from "../../support/domain/domain-events";
import { outboxRecord } from "../../support/domain/outbox-records";

describe("the envelope of an outbox record", () => {
  test("is a CloudEvent 1.0 with the extensions for order, correlation, cause and trace", () => {
    const record = outboxRecord({ aggregateVersion: 7, schemaVersion: 2 });
    expect(toCloudEvent(record)).toEqual({
      specversion: "1.0",
      id: record.id,
      source: "bank",
      type: "AccountOpened",
      subject: record.aggregateId,
      time: "2026-05-04T03:02:01.234Z",
      datacontenttype: "application/json",
      dataschema: "urn:domain-event:bank:Account:AccountOpened:2",
      sequence: "7",
      sequencetype: "Integer",
      correlationid: "request-1",
      causationid: "command-1",
      traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
      data: { change: {}, state: { owner: "Ada" } },
    });
  });

  test("leaves out what there is not", () => {
    const event = toCloudEvent(outboxRecord({ causationId: undefined, traceparent: undefined }));
    expect(event).not.toHaveProperty("causationid");
    expect(event).not.toHaveProperty("traceparent");
  });
});

describe("what is not a domain event is refused", () => {
  const read = (detail: Record<string, unknown>) => readCloudEvent(bridgeEvent(cloudEvent(), detail));
  const refusing = (what: string) =>
    expect.objectContaining({
      code: "EVENT_MALFORMED",
      message: `The message is not a domain event: it ${what}. Look at the publisher; the message goes to the dead-letter queue.`,
    });

  test.each([undefined, null, 5, "text", [], {}, { detail: null }, { detail: "text" }])(
    "without a detail: %j",
    (message) => {
      expect(() => readCloudEvent(message)).toThrow(refusing("has no detail"));
    },
  );

  test.each(["id", "source", "type", "subject", "time", "dataschema", "sequence", "correlationid"])(
    'without "%s", or where it is no text',
    (name) => {
      for (const value of [undefined, null, "", 5, {}])
        expect(() => read({ [name]: value })).toThrow(refusing(`has no "${name}"`));
    },
  );

  test.each(["0", "-1", "1.5", "x", " 1", "0x10", "1e3", "01", "9007199254740993"])(
    'with the sequence "%s"',
    (sequence) => {
      expect(() => read({ sequence })).toThrow(
        refusing('has a "sequence" that is not a whole number of at least 1'),
      );
    },
  );

  test.each([
    ["that is something else", "https://schemas/account"],
    ["that only looks like one", "urn:domain-invent:bank:Account:AccountOpened:1"],
    ["of another domain", "urn:domain-event:shop:Account:AccountOpened:1"],
    ["without an aggregate", "urn:domain-event:bank::AccountOpened:1"],
    ["of another type", "urn:domain-event:bank:Account:AccountClosed:1"],
    ["without a version", "urn:domain-event:bank:Account:AccountOpened"],
    ["with version 0", "urn:domain-event:bank:Account:AccountOpened:0"],
    ["with half a version", "urn:domain-event:bank:Account:AccountOpened:1.5"],
    ["with something behind it", "urn:domain-event:bank:Account:AccountOpened:1:2"],
  ])("with a dataschema %s", (_, dataschema) => {
    expect(() => read({ dataschema })).toThrow(
      refusing('has a "dataschema" that does not name its source and type'),
    );
  });

  test.each([undefined, null, "text", [], {}, { state: null }, { change: [], state: null }])(
    "without a change: %j",
    (data) => {
      expect(() => read({ data })).toThrow(refusing("has no data.change"));
    },
  );

  test.each([{ change: {} }, { change: {}, state: 5 }, { change: {}, state: [] }])(
    "without a state: %j",
    (data) => {
      expect(() => read({ data })).toThrow(refusing("has no data.state"));
    },
  );

  test.each(["yesterday", "2026-05-04", "2026-13-04T03:02:01Z", "2026-05-04 (\0) 03:02:01"])(
    'with the time "%s"',
    (time) => {
      expect(() => read({ time })).toThrow(refusing('has a "time" that is not one of RFC 3339'));
    },
  );

  test.each(["id", "subject", "correlationid", "causationid", "traceparent"])(
    'with a "%s" that could be no key, or would be another one in a store',
    (name) => {
      const refused = refusing(
        `has a "${name}" that is not a text of 1 to 256 characters, without NUL and half surrogate pairs`,
      );
      for (const value of ["x".repeat(257), "a\0", "a\ud800"])
        expect(() => read({ [name]: value })).toThrow(refused);
    },
  );

  test.each([
    ["a NUL character", { note: "a\0" }, '"note"', "holds a NUL character or half of a surrogate pair"],
    [
      "half a surrogate pair",
      { note: "\udc00" },
      '"note"',
      "holds a NUL character or half of a surrogate pair",
    ],
    [
      "a number beyond the exact ones",
      { n: [2 ** 53] },
      'a value in "n"',
      "is a number that not every store holds",
    ],
    [
      "a key that is none of data",
      JSON.parse('{"tags":{"__proto__":{}}}'),
      '"tags"',
      'has the key "__proto__", which is refused',
    ],
  ])("with data that holds %s", (_, state: unknown, place, what) => {
    expect(() => read({ data: { change: {}, state } })).toThrow(
      refusing(`has data in which ${place} ${what}`),
    );
  });

  test("with data of 10,000 levels, without following them", () => {
    const nested = JSON.parse("[".repeat(10_000) + "]".repeat(10_000)) as unknown;
    expect(() => read({ data: { change: { nested }, state: null } })).toThrow(
      expect.objectContaining({ code: "EVENT_MALFORMED" }),
    );
  });

  test("without quoting more of it than fits into a line of a log", () => {
    try {
      read({ sequence: "9".repeat(100_000) });
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(500);
    }
  });
});

describe("an event's data", () => {
  const Counter = aggregate("bank.Counter", {
    key: "counterId",
    state: () => z.object({ counterId: z.string(), count: z.number() }),
    events: {
      Counted: {
        version: 3,
        change: () => z.object({}),
        upcast: ({ change, state }, version) => ({ change, state: { ...(state as object), from: version } }),
      },
      Reset: { version: 2, change: () => z.object({}) },
    },
  });
  const data = (type: string, schemaVersion: number) => {
    const event = cloudEvent({
      aggregate: "bank.Counter",
      type,
      schemaVersion,
      data: { change: {}, state: { count: 5 } },
    });
    return currentData(Counter, readCloudEvent(bridgeEvent(event)));
  };

  test("of an older schema version is upcast", () => {
    expect(data("Counted", 1)).toEqual({ change: {}, state: { count: 5, from: 1 } });
    expect(data("Counted", 2)).toEqual({ change: {}, state: { count: 5, from: 2 } });
  });

  test("of the current or a newer schema version is read as it is", () => {
    expect(data("Counted", 3).state).toEqual({ count: 5 });
    expect(data("Counted", 4).state).toEqual({ count: 5 });
  });

  test("is read as it is where the contract has no upcast or does not know the type", () => {
    expect(data("Reset", 1).state).toEqual({ count: 5 });
    expect(data("Unknown", 1).state).toEqual({ count: 5 });
    expect(data("constructor", 1).state).toEqual({ count: 5 });
  });
});

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;

describe("a new trace context", () => {
  test("is a sampled W3C traceparent, and another one each time", () => {
    expect(newTraceparent()).toMatch(TRACEPARENT);
    expect(newTraceparent()).not.toBe(newTraceparent());
  });
});

describe("a child's trace context", () => {
  const parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00";

  test("keeps the trace and its flags, and has a span of its own", () => {
    const child = childTraceparent(parent);
    expect(child).toMatch(/^00-0123456789abcdef0123456789abcdef-[0-9a-f]{16}-00$/);
    expect(child).not.toBe(parent);
  });

  test.each([
    undefined,
    "",
    "garbage",
    "01-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
    `${parent}-x`,
  ])("starts a new trace when there is none to continue: %j", (traceparent) => {
    expect(childTraceparent(traceparent)).toMatch(TRACEPARENT);
    expect(childTraceparent(traceparent)).not.toContain("0123456789abcdef0123456789abcdef");
  });
});
