import type { runtime } from "@pulumi/pulumi";
import { codedError } from "../../runtime/function/coded-error";
import type { Scope } from "./resource-kind";

const DNS_SUFFIX = "amazonaws.com";

/** Functions of the AWS provider that a program may call, by token, and their answers on this machine. */
const PROVIDER_FUNCTIONS: Readonly<
  Record<string, (inputs: Record<string, unknown>, scope: Scope) => object>
> = {
  "aws:index/getCallerIdentity:getCallerIdentity": (_inputs, { account }) => ({
    id: account,
    accountId: account,
    arn: `arn:aws:iam::${account}:root`,
    userId: account,
  }),
  "aws:index/getRegion:getRegion": (_inputs, { region }) => ({
    id: region,
    region,
    name: region,
    description: region,
    endpoint: `ec2.${region}.${DNS_SUFFIX}`,
  }),
  "aws:index/getPartition:getPartition": () => ({
    id: "aws",
    partition: "aws",
    dnsSuffix: DNS_SUFFIX,
    reverseDnsPrefix: DNS_SUFFIX.split(".").reverse().join("."),
  }),
  "aws:index/getAvailabilityZones:getAvailabilityZones": (_inputs, { region }) => ({
    id: region,
    names: ["a", "b", "c"].map((letter) => region + letter),
    zoneIds: ["1", "2", "3"].map((digit) => `${region}-az${digit}`),
    groupNames: [region],
  }),
};

/**
 * Answers a provider function that the program calls.
 *
 * @throws `PROVIDER_FUNCTION_UNKNOWN`
 */
export function callProviderFunction(
  { token, inputs }: runtime.MockCallArgs,
  scope: Scope,
): Record<string, unknown> {
  const answer = PROVIDER_FUNCTIONS[token];
  if (answer) return { ...inputs, ...answer(inputs, scope) };
  throw codedError(
    "PROVIDER_FUNCTION_UNKNOWN",
    `The program calls "${token}", which has no answer on this machine. Add it to local/provision/provider-functions.ts, ` +
      "or take the value from the stack's configuration.",
  );
}
