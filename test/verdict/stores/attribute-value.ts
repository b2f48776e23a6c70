import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Row } from "../snapshot";

/** An item as plain data: numbers as numbers; sets and bytes, which the shop has none of, as DynamoDB spells them. */
export function plainItem(item: Record<string, AttributeValue>): Row {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.NULL !== undefined) return null;
  if (value.L !== undefined) return value.L.map(plainValue);
  if (value.M !== undefined) return plainItem(value.M);
  return value;
}
