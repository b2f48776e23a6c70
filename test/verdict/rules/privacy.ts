import { aggregateFacts, type Facts, nameOfEvent, publicState } from "../facts";
import { type Finding, finder } from "../finding";

const finding = finder("NOTHING_PRIVATE_LEAVES");

/** Looks for private values and the names of private columns everywhere outside their domain. */
export function judgePrivacy(facts: Facts): Finding[] {
  const { snapshot, landscape } = facts;
  const { privateNames, aggregates } = landscape;
  const { privateMarks } = facts.journal;
  const values = privateValues(facts);
  const findings: Finding[] = [];
  const secretsOf = (domains: string[], names: ReadonlySet<string>): Secrets => ({
    marks: domains.flatMap((domain) => privateMarks[domain] ?? []),
    values: new Set(domains.flatMap((domain) => [...(values.get(domain) ?? [])])),
    names,
  });
  const domains = [...new Set(aggregates.map(({ domain }) => domain))];
  const all = secretsOf(domains, privateNames);
  const look = (where: string, value: unknown, secrets: Secrets = all) => {
    const leak = leakIn(value, secrets);
    if (leak !== undefined) findings.push(finding(where, "nothing private", leak));
  };
  for (const event of snapshot.outbox) look(`payload of ${nameOfEvent(event)}`, event.data);
  for (const envelope of snapshot.bus) look("event on the bus", envelope);
  for (const { queue, body } of [...snapshot.deadLetters, ...snapshot.quarantined])
    look(`message in ${queue}`, body);
  for (const line of snapshot.log) look("log of a function", line);
  for (const request of facts.journal.requests)
    if (request.kind === "command") look(`answers to "${request.requestId}"`, request.answers);
  for (const record of snapshot.inbox) look(`inbox of ${record.consumer}`, record);
  for (const { table } of landscape.projections)
    for (const row of snapshot.projections[table] ?? []) look(`${table} "${row.aggregateId}"`, row);
  const foreign = new Map(
    aggregates.map(({ domain, privateColumns, columns }) => {
      const others = domains.filter((other) => other !== domain);
      const own = new Set([...privateColumns, ...Object.values(columns)]);
      const names = [...privateNames].filter((name) => !own.has(name));
      return [domain, secretsOf(others, new Set(names))];
    }),
  );
  for (const { aggregate, id, row } of snapshot.entities) {
    const domain = aggregateFacts(facts, aggregate)?.domain ?? "";
    look(`table of ${aggregate} "${id}"`, row, foreign.get(domain));
  }
  return findings;
}

/** A shorter text may occur elsewhere by chance. */
const SHORTEST_VALUE_CHARACTERS = 12;

/**
 * Domain -> texts that its private columns held, or its public columns beside what is public of them, and no public
 * field of any aggregate did.
 */
function privateValues(facts: Facts): ReadonlyMap<string, ReadonlySet<string>> {
  const { snapshot, landscape } = facts;
  const published = new Set<string>();
  const hidden = new Map<string, Set<string>>();
  for (const { aggregate, row } of [...snapshot.entities, ...snapshot.changes]) {
    const known = landscape.aggregates.find(({ name }) => name === aggregate);
    if (!known || !row) continue;
    const values = hidden.get(known.domain) ?? new Set();
    hidden.set(known.domain, values);
    for (const text of textsIn(publicState(facts, aggregate, row))) published.add(text);
    const own = [...known.privateColumns, ...Object.values(known.columns)].map((column) => row[column]);
    for (const text of textsIn(own)) if (text.length >= SHORTEST_VALUE_CHARACTERS) values.add(text);
  }
  for (const values of hidden.values())
    for (const value of values) if (published.has(value)) values.delete(value);
  return hidden;
}

/** The texts in a value, at any depth. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Data that must not be found. */
interface Secrets {
  /** Texts that no text may contain, and numbers that no number may equal. */
  marks: readonly (string | number)[];
  /** Texts that no text may equal. */
  values: ReadonlySet<string>;
  /** Names that no field may have. */
  names: ReadonlySet<string>;
}

/**
 * Searches a value, including JSON and base64 in its texts (bodies and payloads of messages).
 *
 * @returns the name of a field or a value that must not be there; undefined if there is none
 */
function leakIn(value: unknown, secrets: Secrets): string | undefined {
  if (typeof value === "string") return leakInText(value, secrets);
  if (typeof value === "number") return secrets.marks.includes(value) ? String(value) : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, inside] of Object.entries(value)) {
    if (secrets.names.has(name)) return name;
    const leak = leakIn(inside, secrets);
    if (leak !== undefined) return leak;
  }
  return undefined;
}

function leakInText(text: string, secrets: Secrets): string | undefined {
  const mark = secrets.marks.find((one) =>
    typeof one === "string" ? text.includes(one) : text === String(one),
  );
  if (mark !== undefined) return String(mark);
  if (secrets.values.has(text)) return text;
  if (/^\s*[{[]/.test(text)) return leakInJson(text, secrets);
  // Many plain words match too; their decoded bytes are harmless.
  const isBase64 = /^[A-Za-z0-9+/]{8,}={0,2}$/.test(text);
  return isBase64 ? leakInText(Buffer.from(text, "base64").toString("utf8"), secrets) : undefined;
}

function leakInJson(text: string, secrets: Secrets): string | undefined {
  try {
    return leakIn(JSON.parse(text), secrets);
  } catch {
    return undefined;
  }
}
