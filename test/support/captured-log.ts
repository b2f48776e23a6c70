import { afterEach, beforeEach, vi } from "vitest";

/** A line that the runtime logged. */
export interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

/** Keeps what the runtime logs in each test of the file, instead of printing it. Call it outside of tests. */
export function capturedLog(): LogLine[] {
  const lines: LogLine[] = [];
  beforeEach(() => {
    lines.length = 0;
    for (const level of ["info", "warn", "error"] as const) {
      vi.spyOn(console, level).mockImplementation((line) => {
        lines.push(JSON.parse(String(line)) as LogLine);
      });
    }
  });
  afterEach(() => vi.restoreAllMocks());
  return lines;
}

/** The warnings and errors among what was logged. */
export function problems(log: LogLine[]): LogLine[] {
  return log.filter(({ level }) => level !== "info");
}
