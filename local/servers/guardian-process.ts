// The entry of the guardian (see guardian.ts): waits for the end of its standard input, then cleans up unless a farewell came.
import { cleanUpRun } from "./clean-up-run";
import { FAREWELL } from "./guardian";

const [, , runFolder] = process.argv;
let said = "";

// It must outlive whatever ends the runner; it ends by itself as soon as the pipe does.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

process.stdin.setEncoding("utf8");
process.stdin.on("data", (text: string) => (said += text));
process.stdin.on("error", finish);
process.stdin.on("end", finish);

function finish(): void {
  if (runFolder === undefined || said.includes(FAREWELL)) process.exit(0);
  cleanUpRun(runFolder).then(
    ({ problems }) => process.exit(problems.length === 0 ? 0 : 1),
    () => process.exit(1),
  );
}
