import { codedError } from "../../runtime/function/coded-error";

/** Stands where a secret stood: records of a deployment are printed, so they never hold one. */
export const SECRET_VALUE = "[secret]";

/** Stands where a value is known only once the resource exists (a dry run with `unknownOutputs`). */
export const UNKNOWN_VALUE = "[unknown until deployed]";

/** A resource or component that the program declared, and what became of it. */
export interface DeployedResource {
  /** Pulumi type token, e.g. "aws:sqs/queue:Queue" or "domain-consistency:components:Microservice". */
  type: string;
  /** Logical name, as the program gives it. */
  name: string;
  urn: string;
  /** URN of the component it belongs to; absent at the top level. */
  parent?: string;
  /** As the AWS provider makes it (a queue's id is its URL); "" for components and where it is unknown. */
  id: string;
  /** What the program declared, with generated names filled in, secrets masked and code archives described. */
  inputs: Record<string, unknown>;
  /**
   * Inputs and computed outputs (arn, url, streamArn ...), masked likewise; for a component its registered
   * outputs.
   */
  state: Record<string, unknown>;
  /** Why it is only recorded on this machine, and what stands in for it. */
  replacement?: string;
  /** Size of a function's deployment package (zip). */
  packageBytes?: number;
}

/** Something declared that a local run does not do, or does differently from AWS. */
export interface LocalDifference {
  type: string;
  /** The input that has no effect; absent where the whole resource is only recorded. */
  input?: string;
  reason: string;
  /** Logical names of the resources that declare it. */
  resources: string[];
}

/** The result of running the program. */
export interface Deployment {
  /** Stack outputs, secrets masked. */
  outputs: Record<string, unknown>;
  /** In the order in which the program declares them. */
  resources: DeployedResource[];
  differences: LocalDifference[];
  /** All resources of a Pulumi type token. */
  byType(type: string): DeployedResource[];
  /** The one resource of that type and logical name; rejects with `RESOURCE_NOT_DEPLOYED` if there is none. */
  resource(type: string, name: string): DeployedResource;
}

/** Ties recorded resources and outputs together. */
export function deploymentOf(
  outputs: Record<string, unknown>,
  resources: DeployedResource[],
  differences: LocalDifference[],
): Deployment {
  const byType = (type: string) => resources.filter((resource) => resource.type === type);
  return {
    outputs,
    resources,
    differences,
    byType,
    resource: (type, name) => {
      const found = byType(type).find((resource) => resource.name === name);
      if (found) return found;
      const names = byType(type).map((resource) => `"${resource.name}"`);
      throw codedError(
        "RESOURCE_NOT_DEPLOYED",
        `The program declares no ${type} named "${name}". Of that type it declares ${names.join(", ") || "none"}.`,
      );
    },
  };
}

/** One printable line for each difference, e.g. for the end of the start-up. */
export function describeDifferences(differences: LocalDifference[]): string[] {
  return differences.map(({ type, input, reason, resources }) => {
    const what = input === undefined ? type : `${type} ${input}`;
    return `${what} (${resources.length === 1 ? `"${resources[0]}"` : `${resources.length} resources`}): ${reason}`;
  });
}
