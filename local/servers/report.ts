/** Takes one line of progress. Progress goes to stderr, so that stdout stays free for a command's result. */
export type Report = (line: string) => void;

/** Writes each line to stderr. */
export const reportToStderr: Report = (line) => {
  process.stderr.write(`${line}\n`);
};

/** How long a step took, for the JSON report of a run. */
export interface Phase {
  name: string;
  milliseconds: number;
}

/** How long a step may be silent. */
const SIGN_OF_LIFE_MILLISECONDS = 3_000;

/**
 * Runs one long step of a run. Reports that it starts, that it still runs whenever it was silent for 3 seconds,
 * and how long it took, also when it fails. Steps may overlap, so every line names its step.
 *
 * @param name begins a sentence, e.g. "Starting PostgreSQL"
 * @param run gets a `report` of its own: what it reports counts as a sign of life
 * @param phases gets `{ name, milliseconds }` of a step that succeeded
 */
export async function step<T>(
  report: Report,
  name: string,
  run: (report: Report) => Promise<T>,
  phases?: Phase[],
): Promise<T> {
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1_000).toFixed(1)} s`;
  report(`${name} ...`);
  const signOfLife = setInterval(
    () => report(`${name}: still running after ${seconds()}`),
    SIGN_OF_LIFE_MILLISECONDS,
  );
  try {
    const result = await run((line) => {
      signOfLife.refresh();
      report(line);
    });
    phases?.push({ name, milliseconds: Math.round(performance.now() - started) });
    report(`${name}: done in ${seconds()}`);
    return result;
  } catch (error) {
    report(`${name}: failed after ${seconds()}`);
    throw error;
  } finally {
    clearInterval(signOfLife);
  }
}
