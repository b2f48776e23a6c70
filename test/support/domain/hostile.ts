/** Hostile input: mutations of valid values, the same for the same seed. */

/** Draws from 0 up to, but not including, `below`. */
export type Draw = (below: number) => number;

/** A random generator that depends on the seed alone (mulberry32). */
export function drawing(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Picks one of the items. */
export function oneOf<T>(draw: Draw, values: readonly T[]): T {
  return values[draw(values.length)] as T;
}

const LEVELS = "@levels@";

/** Written into the JSON text unchanged, because `JSON.stringify` would not write it. */
const RAW = [
  LEVELS,
  LEVELS,
  "[".repeat(31) + "1" + "]".repeat(31),
  "1e400",
  "-1e400",
  "-0",
  "1e-400",
  "123456789012345678901234567890",
  '"\\ud800"',
  '"\\udc00\\ud800 x"',
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true},"name":"Set"}}',
  '{"toString":null,"valueOf":null}',
  '{"toJSON":1,"then":2,"length":1e9}',
];

const TEXTS = [
  "",
  " ",
  "\0",
  "a\0b",
  "\ud800",
  "b\udfff",
  "\u2028\ufeff\u202e",
  "x".repeat(257),
  "é".repeat(256),
  "😀".repeat(400),
  "y".repeat(20_000),
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "NaN",
  "Infinity",
  "1e3",
  "-0",
  "0x10",
  "9007199254740993",
  "2026-13-45T99:99:99Z",
  "+275760-09-13T00:00:00.000Z",
  "a.b.c",
  "a:b",
  "aws.events",
  "null",
  "[object Object]",
  "'; drop table outbox; --",
  "${jndi:ldap://x}",
];

const NUMBERS = [0, -0, -1, 1.5, 1e308, 5e-324, 2 ** 31, 2 ** 53, -(2 ** 53), 2 ** 63];

/** Large and deep values are rare, because they take long to handle. */
const RARELY = 200;
/** Larger than the bus, a queue or an item accepts. */
const LARGE = ["z", "é", "\u0001"].map((character) => character.repeat(300_000));

const PLACEHOLDER = /"@raw(\d+)@"/g;

/** A JSON value that no schema expects. */
export function hostileValue(draw: Draw): unknown {
  switch (draw(8)) {
    case 0:
      return oneOf(draw, [null, true, false, [], {}, [[]], [null], { a: [{}] }]);
    case 1:
      return oneOf(draw, NUMBERS);
    case 2:
    case 3:
      return draw(RARELY) === 0 ? `@raw${draw(2)}@` : `@raw${2 + draw(RAW.length - 2)}@`;
    case 4:
      return draw(RARELY) === 0 ? oneOf(draw, LARGE) : oneOf(draw, TEXTS);
    case 5:
      return { [oneOf(draw, TEXTS)]: hostileValue(draw) };
    case 6:
      return Array.from({ length: draw(4) }, () => hostileValue(draw));
    default:
      return oneOf(draw, TEXTS);
  }
}

/**
 * JSON text of a value that may contain values of `hostileValue`.
 *
 * @param levels maximum nesting
 */
export function jsonText(value: unknown, levels = 10_000): string {
  return JSON.stringify(value).replace(PLACEHOLDER, (_, index: string) => rawText(Number(index), levels));
}

function rawText(index: number, levels: number): string {
  if (RAW[index] !== LEVELS) return RAW[index] ?? "null";
  return index % 2 === 0
    ? "[".repeat(levels) + "]".repeat(levels)
    : `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
}

/** A copy of a valid value with one to three harmful changes. */
export function mutated(draw: Draw, valid: object): object {
  const copy = JSON.parse(JSON.stringify(valid)) as Record<string, unknown>;
  for (let left = 1 + draw(3); left > 0; left -= 1) mutateOnce(draw, copy);
  return copy;
}

/** Text that is not JSON, or other JSON than it was. */
export function brokenText(draw: Draw, text: string): string {
  const at = draw(text.length);
  switch (draw(7)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + oneOf(draw, ["\0", "}", '"', ",", "\ufffd", "\ud800"]) + text.slice(at + 1);
    case 2:
      return text + text;
    case 3:
      return `\ufeff${text}`;
    case 4:
      return oneOf(draw, ["", "null", "true", "0", "-", "[]", "{}", '"text"', "undefined", "NaN"]);
    case 5:
      return oneOf(draw, RAW);
    default:
      return jsonText(hostileValue(draw));
  }
}

function mutateOnce(draw: Draw, root: Record<string, unknown>): void {
  let parent: Record<string, unknown> = root;
  for (;;) {
    const names = Object.keys(parent);
    const name = names.length > 0 ? oneOf(draw, names) : "";
    const child = parent[name];
    if (typeof child === "object" && child !== null && draw(4) > 0) {
      // Arrays are treated as objects with their indexes as names.
      parent = child as Record<string, unknown>;
      continue;
    }
    const changed = draw(8) === 0 ? oneOf(draw, TEXTS) : name;
    const value = hostileValue(draw);
    if (draw(6) === 0) delete parent[name];
    else
      Object.defineProperty(parent, changed, { value, enumerable: true, configurable: true, writable: true });
    return;
  }
}
