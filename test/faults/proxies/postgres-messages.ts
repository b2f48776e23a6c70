/** A message of PostgreSQL's protocol; the startup message has no type. */
export interface Frame {
  /** E.g. "Q"; empty for the startup message. */
  type: string;
  bytes: Buffer;
}

/**
 * Splits a stream of bytes into PostgreSQL's messages: type (1 byte), length (4 bytes, including itself),
 * content.
 */
export function frameReader(options: { startsWithoutType: boolean }): (chunk: Buffer) => Frame[] {
  let rest = Buffer.alloc(0);
  let isUntyped = options.startsWithoutType;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const typeBytes = isUntyped ? 0 : 1;
      if (rest.length < typeBytes + 4) return frames;
      const length = typeBytes + rest.readInt32BE(typeBytes);
      if (rest.length < length) return frames;
      frames.push({
        type: isUntyped ? "" : String.fromCharCode(rest[0] as number),
        bytes: rest.subarray(0, length),
      });
      rest = rest.subarray(length);
      isUntyped = false;
    }
  };
}

/** Start of a message's content, after its type and length. */
const CONTENT = 5;

/** Returns the statement that each message of a connection runs; undefined for a message that runs none. */
export function statementTexts(): (frame: Frame) => string | undefined {
  const prepared = new Map<string, string>();
  return ({ type, bytes }) => {
    // Each of these messages begins with texts, and each text ends with a zero byte.
    const [first = "", second = ""] = bytes.toString("utf8", CONTENT).split("\0", 2);
    switch (type) {
      case "Q":
        return first;
      case "P":
        prepared.set(first, second);
        return undefined;
      case "B":
        return prepared.get(second);
      default:
        return undefined;
    }
  };
}
