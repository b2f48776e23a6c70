/** The process of a function that makes a call; function-preload.ts makes each call identify it. */
export interface Caller {
  pid: number;
  /** Physical name of the function. */
  functionName: string;
}

/** Finds the caller in a text that contains "<pid>.<function name>". */
export function callerIn(text: string | undefined): Caller | undefined {
  const match = /(?:^|app\/)(\d+)\.([A-Za-z0-9_-]+)/.exec(text ?? "");
  return match ? { pid: Number(match[1]), functionName: match[2] as string } : undefined;
}

/** Kills the caller's process, as if its Lambda host died. */
export function killCaller({ pid }: Caller): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has already ended.
  }
}

/** Logical name of a function: the physical one has a suffix of seven hexadecimal digits. */
export function logicalName({ functionName }: Caller): string {
  return functionName.replace(/-[0-9a-f]{7}$/, "");
}
