import { afterEach, beforeEach, vi } from "vitest";

/** A line that the runtime logged. */
export interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

/** Captures the log lines of each test of the file instead of printing them. Call this outside of tests. */
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

/** The logged warnings and errors. */
export function problems(log: LogLine[]): LogLine[] {
  return log.filter(({ level }) => level !== "info");
}
