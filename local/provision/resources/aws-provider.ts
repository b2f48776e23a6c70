import { resourceKind } from "../resource-kind";

/** An explicit provider. Everything is created in one account and region here, whatever it is set to. */
export const awsProvider = resourceKind<Record<string, unknown>>({
  type: "pulumi:providers:aws",
  replacement: "all resources are created on the one emulator.",
  effective: [],
  identify: ({ name }) => ({ id: name, outputs: {} }),
});
