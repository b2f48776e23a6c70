import inspector from "node:inspector";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { withSharedMemory } from "../../../dist/components/function/serializer-memory.js";
import { makeCommandHandler } from "../../../dist/runtime/command/handler.js";
import type { AnyProjection } from "../../../dist/runtime/define/project.js";
import type { Reactions } from "../../../dist/runtime/define/react.js";
import { dynamoStore } from "../../../dist/runtime/dynamodb/store.js";
import { postgresStore } from "../../../dist/runtime/postgres/store.js";
import { makeProjectionHandler } from "../../../dist/runtime/projection/handler.js";
import { makeReactionHandler } from "../../../dist/runtime/reaction/handler.js";
import { domain as loans } from "../../../dist/test/fixtures/domains/loans/index.js";
import { domain as members } from "../../../dist/test/fixtures/domains/members/index.js";

// Compilers and serializers take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

type Factory = () => (...args: never[]) => unknown;

const serialize = async (factory: Factory) =>
  (await pulumi.runtime.serializeFunction(factory, { isFactoryFunction: true, exportName: "handler" })).text;

/** Names of the global object once Pulumi has serialized by itself. */
await serialize(() => () => "nothing");
const namesOfPulumi = Object.getOwnPropertyNames(globalThis);

afterEach(() => vi.restoreAllMocks());

/** A handler of every kind. */
function handlers(): Factory[] {
  return [
    makeCommandHandler("loans", loans.commands, dynamoStore),
    makeCommandHandler("members", members.commands, postgresStore()),
    makeProjectionHandler("members", loans.subscriptions["members"] as AnyProjection),
    makeReactionHandler("loans.leavers", loans.subscriptions["leavers"] as Reactions, dynamoStore),
  ].map(({ callbackFactory }) => callbackFactory as Factory);
}

const sharing = (factories: Factory[]) =>
  Promise.all(factories.map((factory) => withSharedMemory(() => serialize(factory))));

test("Handlers that are serialized at the same time have the bytes that each has by itself", async () => {
  const alone: string[] = [];
  for (const factory of handlers()) alone.push(await serialize(factory));
  expect(await sharing(handlers())).toEqual(alone);
  expect(new Set(alone).size).toBe(4);
});

test("A function that several handlers share is looked at once", async () => {
  const questions = vi.spyOn(inspector.Session.prototype, "post");
  const all = handlers();
  await sharing(all);
  const once = questions.mock.calls.length;
  expect(once).toBeGreaterThan(100);
  await sharing([...all, ...all, ...all]);
  expect(questions.mock.calls.length - once).toBe(once);
});

// Pulumi takes what the global object names for a part of Node.js, and leaves it out of the package.
test("The global object gets no name that a package could refer to", async () => {
  await sharing(handlers());
  expect(Object.getOwnPropertyNames(globalThis)).toEqual(namesOfPulumi);
});

test("A later serialization sees the values of its own time", async () => {
  let greeting = "Good morning";
  const greet = () => greeting;
  const factory = () => () => greet();
  expect(await withSharedMemory(() => serialize(factory))).toContain("Good morning");
  greeting = "Good evening";
  expect(await withSharedMemory(() => serialize(factory))).toContain("Good evening");
});

test("What cannot be serialized is refused in Pulumi's own words", async () => {
  const largest = Math.max.bind(Math);
  const factory = () => () => largest(1, 2);
  const words = await serialize(factory).catch((error: Error) => error.message);
  expect(words).toContain("largest");
  await expect(withSharedMemory(() => serialize(factory))).rejects.toThrow(words);
});
