import fc from "fast-check";
import { expect, test } from "vitest";
import { createCheckpoint } from "../../../dist/local/event-sources/checkpoint.js";

test("the checkpoint moves when the lowest unprocessed record is processed, and past all that follow it", () => {
  const checkpoint = createCheckpoint();
  checkpoint.read(["1", "2", "3", "4"]);
  expect(checkpoint.processed(["3", "2"])).toBeUndefined();
  expect(checkpoint.position()).toBeUndefined();
  expect(checkpoint.processed(["1"])).toBe("3");
  expect(checkpoint.processed(["4"])).toBe("4");
});

test("a checkpoint that starts somewhere stays there until something is processed", () => {
  const checkpoint = createCheckpoint("7");
  expect(checkpoint.position()).toBe("7");
  expect(checkpoint.processed(["unheard of"])).toBeUndefined();
  expect(checkpoint.position()).toBe("7");
});

test("in whatever order records are processed, the checkpoint never passes one that is not", () => {
  const orders = fc.shuffledSubarray(Array.from({ length: 12 }, (_, index) => String(index)));
  fc.assert(
    fc.property(orders, (processed) => {
      const checkpoint = createCheckpoint();
      checkpoint.read(Array.from({ length: 12 }, (_, index) => String(index)));
      processed.forEach((sequenceNumber, index) => {
        checkpoint.processed([sequenceNumber]);
        const done = new Set(processed.slice(0, index + 1));
        const firstLeft = Array.from({ length: 12 }, (_, n) => n).find((n) => !done.has(String(n))) ?? 12;
        expect(checkpoint.position()).toBe(firstLeft === 0 ? undefined : String(firstLeft - 1));
      });
    }),
  );
});
