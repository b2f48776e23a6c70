/*
 * What a table's fields hold, whatever the store. A contract's state, the changes of its events and a table's
 * private fields are data: their schemas describe values and change none, so that what is stored, read, published
 * and projected is the same. docs/fields.md has the table of types.
 */

/** What a value may be, at any depth. */
export type Shape =
  | { kind: "text" | "number" | "boolean" | "scalar" | "any" }
  | { kind: "object"; fields: Record<string, Shape>; required: string[] }
  | { kind: "map" | "list"; of: Shape }
  | { kind: "tuple"; items: Shape[]; of?: Shape }
  | { kind: "variants"; discriminator: string; by: Record<string, Shape> };

/** A field of a table. */
export interface Field {
  kind: "text" | "uuid" | "datetime" | "date" | "integer" | "number" | "boolean" | "json";
  isOptional: boolean;
  isNullable: boolean;
  /** Whether its schema fills it in where it is absent. */
  hasDefault: boolean;
  /** Of a datetime: the digits of its seconds that the schema demands, -1 for none; null for any number. */
  digits: number | null;
  shape: Shape;
}

/** Field -> what it holds. */
export type Fields = Readonly<Record<string, Field>>;

/** The fields of a table. */
export interface TableFields {
  /** The public state. */
  public: Fields;
  private: Fields;
  all: Fields;
}
