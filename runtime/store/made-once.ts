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
