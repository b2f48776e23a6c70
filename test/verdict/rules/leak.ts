/** What is not to be found. */
export interface Secrets {
  /** Texts that no text may contain, and numbers that no number may equal. */
  marks: readonly (string | number)[];
  /** Texts that no text may equal. */
  values: ReadonlySet<string>;
  /** Names that no field may have. */
  names: ReadonlySet<string>;
}

/**
 * Looks through a value, and through JSON and base64 in its texts (bodies and payloads of messages).
 *
 * @returns the name of the field or the value that should not be there; undefined if there is none
 */
export function leakIn(value: unknown, secrets: Secrets): string | undefined {
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
  // Also many a word, whose bytes are then no text at all.
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
