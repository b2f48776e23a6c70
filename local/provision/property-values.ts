import * as pulumi from "@pulumi/pulumi";
import { SECRET_VALUE, UNKNOWN_VALUE } from "./deployment";

const {
  specialSigKey: SIGNATURE,
  specialSecretSig: SECRET,
  specialArchiveSig: ARCHIVE,
  specialAssetSig: ASSET,
  specialResourceSig: RESOURCE,
} = pulumi.runtime;

/**
 * A property as it travels to the Pulumi engine: plain JSON, with signed objects for secrets, assets and
 * references.
 */
export type WireValue = unknown;

/** The members of a signed object, or undefined for anything else. */
export function signedObject(value: WireValue, signature: string): Record<string, WireValue> | undefined {
  return isRecord(value) && value[SIGNATURE] === signature ? value : undefined;
}

/**
 * The value to create a resource with: secrets unwrapped, references to resources as ids. Archives stay as they
 * are.
 */
export function plainValue(value: WireValue): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  if (!isRecord(value)) return value;
  if (value[SIGNATURE] === SECRET) return plainValue(value["value"]);
  if (value[SIGNATURE] === RESOURCE) return value["id"] ?? value["urn"];
  if (value[SIGNATURE] !== undefined) return value;
  return mapValues(value, plainValue);
}

/**
 * The value to record and print: secrets and unknown values masked, archives and assets described by what they
 * hold.
 */
export function printableValue(value: WireValue): unknown {
  if (value === pulumi.runtime.unknownValue) return UNKNOWN_VALUE;
  if (Array.isArray(value)) return value.map(printableValue);
  if (!isRecord(value)) return value;
  if (value[SIGNATURE] === SECRET) return SECRET_VALUE;
  if (value[SIGNATURE] === RESOURCE) return value["id"] ?? value["urn"];
  if (value[SIGNATURE] === ARCHIVE)
    return `[archive: ${Object.keys(value["assets"] ?? {}).join(", ") || value["path"]}]`;
  if (value[SIGNATURE] === ASSET)
    return `[asset${typeof value["path"] === "string" ? `: ${value["path"]}` : ""}]`;
  return mapValues(value, printableValue);
}

/** Whether there is a secret anywhere inside. */
export function holdsSecret(value: WireValue): boolean {
  if (Array.isArray(value)) return value.some(holdsSecret);
  if (!isRecord(value)) return false;
  return value[SIGNATURE] === SECRET || Object.values(value).some(holdsSecret);
}

/** Marks a value as a secret for the program that reads it as an output. */
export function secretValue(value: unknown): WireValue {
  return { [SIGNATURE]: SECRET, value };
}

/** Whether anything inside is not known yet. */
export function holdsUnknown(value: WireValue): boolean {
  if (value === pulumi.runtime.unknownValue) return true;
  if (Array.isArray(value)) return value.some(holdsUnknown);
  return isRecord(value) && Object.values(value).some(holdsUnknown);
}

/** Applies a function to each member of an object; members that become undefined are left out, as in JSON. */
export function mapValues<Value>(
  record: Record<string, unknown>,
  map: (value: unknown) => Value,
): Record<string, Value> {
  const mapped: Record<string, Value> = {};
  for (const [key, value] of Object.entries(record)) {
    const result = map(value);
    if (result !== undefined) mapped[key] = result;
  }
  return mapped;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
