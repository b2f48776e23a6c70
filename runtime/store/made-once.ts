import type { Uses } from "../define/handles";
import type { AnyTable } from "../define/table";

/**
 * A table whose contract makes each schema once instead of at every write: making a schema, and the first parse with it, costs more than
 * the write's own round trip (`npm run bench -- --only write`). For use inside a function only: a schema that is made before
 * packaging cannot be serialized.
 */
export function withSchemasMadeOnce<T extends AnyTable>(table: T): T {
  const { aggregate } = table;
  const events = Object.entries(aggregate.events).map(([type, event]) => [
    type,
    { ...event, change: once(() => event.change().strict()) },
  ]);
  return {
    ...table,
    private: once(table.private),
    aggregate: { ...aggregate, state: once(aggregate.state), events: Object.fromEntries(events) },
  };
}

function once<S>(make: () => S): () => S {
  let made: S | undefined;
  return () => (made ??= make());
}

/** Makes the handles for what a function's commands and reactions use, once for each: they hold schemas, which are expensive to make. */
export function handlesMadeOnce(
  handleOf: (name: string, used: Uses[string]) => unknown,
): (uses: Uses) => Record<string, unknown> {
  const made = new Map<Uses, Record<string, unknown>>();
  return (uses) => {
    const known = made.get(uses);
    if (known) return known;
    // What may be used is checked where domains are registered.
    const handles = Object.entries(uses).map(([name, used]) => [name, handleOf(name, used)] as const);
    const all = Object.fromEntries(handles);
    made.set(uses, all);
    return all;
  };
}
