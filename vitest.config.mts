import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Pulumi serializes functions as they were compiled by tsc: what tests import from dist/ must stay untransformed, in processes
// of their own (threads lack the trace events that the serializer needs).
const shared = { pool: "forks" as const, server: { deps: { external: [/\/dist\//] } } };
const SLOW_TEST_MILLISECONDS = 120_000;
const WHOLE_RUN_MILLISECONDS = 480_000;

/** Tests of this kind: the framework's, and those that a domain's folder brings along. */
const testsOf = (kind: string) => [`{test,domains,scenario}/**/*.${kind}.test.ts`];

// Most tests wait for a server: on a machine with two cores, vitest would run one file at a time and take 1.7 times as long.
const maxWorkers = Math.max(4, availableParallelism());

export default defineConfig({
  test: {
    maxWorkers,
    projects: [
      { test: { ...shared, name: "unit", include: testsOf("unit"), testTimeout: SLOW_TEST_MILLISECONDS } },
      {
        test: {
          ...shared,
          name: "int",
          include: testsOf("int"),
          globalSetup: ["test/support/postgres/global-postgres.ts"],
          testTimeout: SLOW_TEST_MILLISECONDS,
          hookTimeout: SLOW_TEST_MILLISECONDS,
        },
      },
      {
        test: {
          ...shared,
          name: "e2e",
          include: testsOf("e2e"),
          globalSetup: ["test/support/program/warm-packages.ts"],
          testTimeout: WHOLE_RUN_MILLISECONDS,
          hookTimeout: WHOLE_RUN_MILLISECONDS,
        },
      },
    ],
  },
});
