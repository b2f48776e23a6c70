import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A Node process that runs a text and is killed at the latest when the test is finished. */
export interface NodeProcess {
  readonly pid: number;
  /** Resolves once its output (both streams) holds the text; rejects if it ends before. */
  says(text: string): Promise<void>;
  /** Everything it has printed so far. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Runs JavaScript in a Node process of its own; `dist(path)` in it requires a built file of local/servers. */
export function nodeProcess(script: string): NodeProcess {
  const servers = join(process.cwd(), "dist", "local", "servers");
  const text = `const dist = (name) => require(${JSON.stringify(servers)} + "/" + name);\n${script}`;
  const child: ChildProcess = spawn(process.execPath, ["-e", text], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const listeners = new Set<() => void>();
  const heard = (chunk: Buffer): void => {
    printed += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout?.on("data", heard);
  child.stderr?.on("data", heard);
  const ended = new Promise<number | string>((resolve) =>
    child.once("close", (code, signal) => resolve(signal ?? code ?? "?")),
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    // Spawning this very executable does not fail.
    pid: child.pid as number,
    says: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (printed.includes(wanted)) resolve();
        };
        listeners.add(look);
        void ended.then(() => reject(new Error(`The process ended without saying "${wanted}":\n${printed}`)));
        look();
      }),
    output: () => printed,
    signal: (name) => void child.kill(name),
    ended,
  };
}
