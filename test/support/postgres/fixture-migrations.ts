import { join } from "node:path";

/** The migrations of the fixture domains, compiled. */
export const FIXTURE_MIGRATIONS = join(__dirname, "..", "..", "..", "dist", "test", "fixtures", "migrations");
