import { defineConfig } from "vitest/config";

/**
 * A copy of the project is built, started, checked and tested: minutes each. Not part of `npm test`, which it
 * runs.
 */
const MINUTES = 60_000;

export default defineConfig({
  test: {
    name: "guest",
    include: ["test/guest/**/*.guest.test.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 12 * MINUTES,
    hookTimeout: 2 * MINUTES,
    server: { deps: { external: [/\/dist\//] } },
  },
});
