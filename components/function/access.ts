import type * as pulumi from "@pulumi/pulumi";
import type { Network } from "../monolith/network";
import type { PolicyStatement } from "./policy";

/** What a function needs to use a store: variables that name it, statements that open it, and where it is reached. */
export interface Access {
  environment: Record<string, pulumi.Input<string>>;
  statements: PolicyStatement[];
  /** @default reached from anywhere */
  network?: Network | undefined;
}

/** Two accesses in one. */
export function both(one: Access, other: Access): Access {
  return {
    environment: { ...one.environment, ...other.environment },
    statements: [...one.statements, ...other.statements],
    network: one.network ?? other.network,
  };
}
