/** An error that says why there can be no verdict, with a stable code. */
export function failure(code: string, message: string): Error & { code: string } {
  return Object.assign(new Error(message), { code });
}
