import type { Unwrap } from "@pulumi/pulumi";
import type { EmulatorClients } from "./emulator-clients";
import type { PackageZipper } from "./package-zip";
import type { ResourceIdentity } from "./physical-name";

/** Where resources are created, or would be. */
export interface Scope {
  project: string;
  stack: string;
  /** 12 digits. */
  account: string;
  region: string;
  zip: PackageZipper;
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
  /** Computed outputs, as the AWS provider names them; they go before inputs of the same name. */
  outputs: Record<string, unknown>;
  /** What AWS assumes for inputs that are not declared. */
  defaults?: Readonly<Record<string, unknown>>;
  /** A function's deployment package. */
  package?: Uint8Array;
}

/** How one Pulumi resource type is created on the emulator. */
export interface ResourceKind<Inputs = Record<string, unknown>> {
  /** Pulumi type token. */
  type: string;
  /** Which input holds the physical name, how long it may be, and how a generated one has to end. Absent: it has none. */
  naming?: { input: keyof Inputs & string; limit: number; ending?: (inputs: Inputs) => string };
  /** Inputs that have an effect on this machine (on the emulator or in a stand-in that reads the deployment). */
  effective: readonly (keyof Inputs & string)[];
  /**
   * Inputs that the emulator takes or that are left out, without the effect they have on AWS, and why. An input that is
   * in neither list is reported as well.
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
  /** Creates it and returns the outputs that only the emulator knows (`id` among them where it differs). Absent for a kind that is only recorded. */
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
  // The registry holds kinds of different inputs. The program was compiled against these very argument types, and the
  // registry hands a kind only resources of its own type token.
  return kind as unknown as ResourceKind;
}

/** Inputs whose outputs, promises and secrets have been resolved; resources among them have become ids. */
export type PlainInputs<Args> = { [Key in keyof Args]: Unwrap<Args[Key]> };

/** The ARN of a resource of this stack's account and region. */
export function arnOf({ account, region }: Scope, service: string, resource: string): string {
  return `arn:aws:${service}:${service === "iam" ? "" : region}:${account}:${resource}`;
}

/** A policy as JSON text: the provider takes text as well as an object. */
export function policyText(policy: unknown): string {
  return typeof policy === "string" ? policy : JSON.stringify(policy);
}

/** Tags in the form that most services take. */
export function tagList(
  tags: Record<string, unknown> | undefined,
): { Key: string; Value: string }[] | undefined {
  if (!tags) return undefined;
  return Object.entries(tags).map(([Key, value]) => ({ Key, Value: String(value) }));
}
