/** A message of PostgreSQL's protocol; the startup message has no type. */
export interface Frame {
  /** E.g. "Q"; empty for the startup message. */
  type: string;
  bytes: Buffer;
}

/** Cuts a stream of bytes into PostgreSQL's messages: type (1 byte), length (4 bytes, itself included), content. */
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
