import { defineConfig } from "vitest/config";

/**
 * A copy of the project is built, started, checked and tested, or the whole system is started several times: minutes
 * each. Not part of `npm test`, which it runs.
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
