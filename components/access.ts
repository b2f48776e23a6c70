import type * as pulumi from "@pulumi/pulumi";
import type { PolicyStatement } from "./policy";

/** What a function needs to use a store: variables that name it, statements that open it. */
export interface Access {
  environment: Record<string, pulumi.Input<string>>;
  statements: PolicyStatement[];
}

/** Two accesses in one. */
export function both(one: Access, other: Access): Access {
  return {
    environment: { ...one.environment, ...other.environment },
    statements: [...one.statements, ...other.statements],
  };
}
