import type * as pulumi from "@pulumi/pulumi";
import type { VariableName } from "../../runtime/function/handler";
import type { Network } from "../monolith/network";
import type { PolicyStatement } from "./policy";

/** Environment variables of a function: exactly those that its handler reads, and those that Node.js reads. */
export type FunctionEnvironment<V extends VariableName> = Record<V, pulumi.Input<string>> & {
  /** Path of certificates that Node.js trusts in addition to its own. */
  NODE_EXTRA_CA_CERTS?: pulumi.Input<string>;
};

/**
 * What a function needs in order to use a store: variables that name it, permissions, and the network that it is
 * in.
 */
export interface Access<V extends VariableName> {
  environment: FunctionEnvironment<V>;
  statements: PolicyStatement[];
  /** @default none */
  network?: Network | undefined;
}

/** Combines two accesses. */
export function both<V extends VariableName, W extends VariableName>(
  one: Access<V>,
  other: Access<W>,
): Access<V | W> {
  return {
    // Each brings its own variables.
    environment: { ...one.environment, ...other.environment } as FunctionEnvironment<V | W>,
    statements: [...one.statements, ...other.statements],
    network: one.network ?? other.network,
  };
}
