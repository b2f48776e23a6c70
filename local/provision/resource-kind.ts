import { createHash } from "node:crypto";
import type { Unwrap } from "@pulumi/pulumi";
import { codedError } from "../../runtime/function/coded-error";
import type { EmulatorClients } from "./emulator-clients";
import type { PackageZipper } from "./package-zip";

/** Where resources are created, or would be. */
export interface Scope {
  project: string;
  stack: string;
  /** 12 digits. */
  account: string;
  region: string;
  zip: PackageZipper;
  /**
   * Environment variables that a function has on this machine in addition, by its physical name. @default none
   */
  functionVariables?: ((functionName: string) => Record<string, string>) | undefined;
}

/** What generated names and ids are derived from, so that a second run of the same stack makes the same ones. */
export interface ResourceIdentity {
  project: string;
  stack: string;
  type: string;
  name: string;
}

/** A resource to create. */
export interface DeclaredResource<Inputs = Record<string, unknown>> extends ResourceIdentity {
  /** As declared, secrets unwrapped; the generated name is filled in. */
  inputs: Inputs;
  /** The name it has on AWS; the logical name for kinds that have none. */
  physicalName: string;
}

/** What a kind makes of a resource. */
export interface IdentifiedResource {
  id: string;
  /** Computed outputs, as the AWS provider names them; they take precedence over inputs of the same name. */
  outputs: Record<string, unknown>;
  /** What AWS assumes for inputs that are not declared. */
  defaults?: Readonly<Record<string, unknown>>;
  /** A function's deployment package. */
  package?: Uint8Array;
  /** Environment variables that a function has on this machine in addition. */
  variables?: Record<string, string>;
}

/** How one Pulumi resource type is created on the emulator. */
export interface ResourceKind<Inputs = Record<string, unknown>> {
  /** Pulumi type token. */
  type: string;
  /**
   * Which input holds the physical name, how long it may be, and how a generated one must end. Absent: it has
   * none.
   */
  naming?: { input: keyof Inputs & string; limit: number; ending?: (inputs: Inputs) => string };
  /**
   * Inputs that have an effect on this machine, besides the name. Absent for a kind that is only recorded: its
   * stand-in reads them all, except the ineffective ones.
   */
  effective?: readonly (keyof Inputs & string)[];
  /**
   * Inputs without the effect that they have on AWS, and why. An input that is in neither list is reported as
   * well.
   */
  ineffective?: Readonly<Partial<Record<keyof Inputs & string, string>>>;
  /** For a kind that is created: how it differs from AWS as a whole. */
  caveat?: string;
  /** For a kind that is only recorded: what stands in for it on this machine. */
  replacement?: string;
  /** Id and outputs as far as they follow from the inputs: all of them in a dry run. Makes no calls. */
  identify(
    resource: DeclaredResource<Inputs>,
    scope: Scope,
  ): IdentifiedResource | Promise<IdentifiedResource>;
  /**
   * Creates it and returns the outputs that only the emulator knows, with `id` where it differs. Absent for a kind
   * that is only recorded.
   */
  create?(
    resource: DeclaredResource<Inputs>,
    identified: IdentifiedResource,
    clients: EmulatorClients,
  ): Promise<Record<string, unknown> | void>;
}

/**
 * Declares a kind with the provider's own argument type.
 *
 * @example resourceKind<aws.sqs.QueueArgs>({ type: "aws:sqs/queue:Queue", ... })
 */
export function resourceKind<Args>(kind: ResourceKind<PlainInputs<Args>>): ResourceKind {
  // The registry holds kinds of different inputs. The program was compiled against these very argument types, and
  // the registry hands a kind only resources of its own type token.
  return kind as unknown as ResourceKind;
}

/** Inputs whose outputs, promises and secrets have been resolved; resources among them have become ids. */
type PlainInputs<Args> = { [Key in keyof Args]: Unwrap<Args[Key]> };

/** The ARN of a resource of this stack's account and region. */
export function arnOf({ account, region }: Scope, service: string, resource: string): string {
  return `arn:aws:${service}:${service === "iam" ? "" : region}:${account}:${resource}`;
}

/** A policy as JSON text: the provider takes text as well as an object. */
export function policyText(policy: unknown): string {
  return typeof policy === "string" ? policy : JSON.stringify(policy);
}

const SUFFIX_DIGITS = 7;

/**
 * The name that Pulumi would generate: the logical name, "-" and 7 hex digits. On AWS the digits are random; here
 * they depend on project, stack, type and logical name.
 *
 * @param ending what the name must end with, e.g. ".fifo"
 */
export function generatedName(identity: ResourceIdentity, ending = ""): string {
  return `${identity.name}-${hexDigits(identity, SUFFIX_DIGITS)}${ending}`;
}

/** The first hex digits of the hash of a resource's identity. */
export function hexDigits({ project, stack, type, name }: ResourceIdentity, count: number): string {
  return createHash("sha256").update([project, stack, type, name].join("\n")).digest("hex").slice(0, count);
}

/**
 * Refuses a physical name that AWS would refuse for its length.
 *
 * @throws `PHYSICAL_NAME_TOO_LONG`
 */
export function checkNameLength(physicalName: string, limit: number, { type, name }: ResourceIdentity): void {
  if (physicalName.length <= limit) return;
  throw codedError(
    "PHYSICAL_NAME_TOO_LONG",
    `The name of ${type} "${name}" is too long: "${physicalName}" has ${physicalName.length} characters and AWS allows ` +
      `${limit}. Shorten the logical name (generated names add ${SUFFIX_DIGITS + 1} characters) or set the name yourself.`,
  );
}
