/** Makes the handles for what a command or reaction uses, once for each: they hold schemas, which are dear to make. */
export function handlesOnce<U>(
  handleOf: (name: string, used: U) => unknown,
): (uses: Record<string, unknown>) => Record<string, unknown> {
  const made = new Map<object, Record<string, unknown>>();
  return (uses) => {
    const known = made.get(uses);
    if (known) return known;
    // What may be used is checked where domains are registered.
    const handles = Object.entries(uses).map(([name, used]) => [name, handleOf(name, used as U)]);
    const all = Object.fromEntries(handles) as Record<string, unknown>;
    made.set(uses, all);
    return all;
  };
}
