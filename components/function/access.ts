import type * as pulumi from "@pulumi/pulumi";
import type { VariableName } from "../../runtime/function/environment";
import type { Network } from "../monolith/network";
import type { PolicyStatement } from "./policy";

/** Environment variables of a function: exactly those that its handler reads, and what the platform itself reads. */
export type FunctionEnvironment<V extends VariableName> = Record<V, pulumi.Input<string>> & {
  /** Certificates that Node.js trusts besides its own. */
  NODE_EXTRA_CA_CERTS?: pulumi.Input<string>;
};

/** What a function needs to use a store: variables that name it, statements that open it, and where it is reached. */
export interface Access<V extends VariableName> {
  environment: FunctionEnvironment<V>;
  statements: PolicyStatement[];
  /** @default reached from anywhere */
  network?: Network | undefined;
}

/** Two accesses in one. */
export function both<V extends VariableName, W extends VariableName>(
  one: Access<V>,
  other: Access<W>,
): Access<V | W> {
  return {
    // Each has its own variables.
    environment: { ...one.environment, ...other.environment } as FunctionEnvironment<V | W>,
    statements: [...one.statements, ...other.statements],
    network: one.network ?? other.network,
  };
}
