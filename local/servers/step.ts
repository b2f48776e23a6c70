import type { Report } from "./report";

/** How long a step took, for the JSON report of a run. */
export interface Phase {
  name: string;
  milliseconds: number;
}

/** How long a step may be silent. */
const SIGN_OF_LIFE_MILLISECONDS = 3_000;

/**
 * Runs one long step of a run: says that it starts, that it is still at it whenever it was silent for 3 seconds, and how
 * long it took, also when it fails. Steps may overlap, so every line names its step.
 *
 * @param name begins a sentence, e.g. "Starting PostgreSQL"
 * @param run gets a `report` of its own: what it says there counts as a sign of life
 * @param phases gets `{ name, milliseconds }` of a step that succeeded
 */
export async function step<T>(
  report: Report,
  name: string,
  run: (report: Report) => Promise<T>,
  phases?: Phase[],
): Promise<T> {
  const started = performance.now();
  report(`${name} ...`);
  const signOfLife = setInterval(() => {
    report(`${name}: still at it after ${seconds(performance.now() - started)}`);
  }, SIGN_OF_LIFE_MILLISECONDS);
  try {
    const result = await run((line) => {
      signOfLife.refresh();
      report(line);
    });
    const milliseconds = Math.round(performance.now() - started);
    phases?.push({ name, milliseconds });
    report(`${name}: done in ${seconds(milliseconds)}`);
    return result;
  } catch (error) {
    report(`${name}: failed after ${seconds(performance.now() - started)}`);
    throw error;
  } finally {
    clearInterval(signOfLife);
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
