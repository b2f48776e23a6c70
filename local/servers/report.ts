/** Takes one line of progress. Progress goes to stderr, so that stdout stays free for a command's result. */
export type Report = (line: string) => void;

/** Writes each line to stderr. */
export const reportToStderr: Report = (line) => {
  process.stderr.write(`${line}\n`);
};
