/** The function's process that a call comes from, as function-preload.ts has it say. */
export interface Caller {
  pid: number;
  /** Physical name of the function. */
  functionName: string;
}

/** Finds the caller in a text that holds "<pid>.<function name>". */
export function callerIn(text: string | undefined): Caller | undefined {
  const match = /(?:^|app\/)(\d+)\.([A-Za-z0-9_-]+)/.exec(text ?? "");
  return match ? { pid: Number(match[1]), functionName: match[2] as string } : undefined;
}

/** Kills the caller's process, as Lambda's host may die: nothing of it runs on. */
export function killCaller({ pid }: Caller): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Logical name of a function: the physical one has a suffix of seven hexadecimal digits. */
export function logicalName({ functionName }: Caller): string {
  return functionName.replace(/-[0-9a-f]{7}$/, "");
}
