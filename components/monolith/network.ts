import type * as pulumi from "@pulumi/pulumi";
import type { PolicyStatement } from "../function/policy";

/** The private network that a database is in. */
export interface Network {
  /** Two or more, in different availability zones. */
  subnetIds: string[];
  /** Security groups that the database must allow. */
  securityGroupIds: string[];
}

/**
 * Lambda attaches a function by means of the function's role. The function's own calls carry its ARN and are not
 * allowed by this.
 */
const BY_LAMBDA_ONLY = { Null: { "lambda:SourceFunctionArn": "true" } };

/**
 * The permissions that Lambda needs to attach a function to a network. Source: AWS Lambda developer guide, "Giving
 * Lambda functions access to resources in an Amazon VPC", required IAM permissions.
 *
 * @param anyArn an ARN in the function's account and Region
 */
export function attachment(network: Network, anyArn: pulumi.Output<string>): PolicyStatement[] {
  const ec2 = (resource: string) =>
    anyArn.apply((arn) => {
      const [, partition, , region, account] = arn.split(":");
      return `arn:${partition}:ec2:${region}:${account}:${resource}`;
    });
  const subnets = network.subnetIds.map((id) => ec2(`subnet/${id}`));
  const interfaces = ec2("network-interface/*");
  const statement = (Sid: string, Action: string[], Resource: PolicyStatement["Resource"]) => ({
    Sid,
    Action,
    Resource,
    Condition: BY_LAMBDA_ONLY,
  });
  return [
    // EC2 has no resource-level permissions for these two.
    statement("DescribeNetwork", ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"], "*"),
    statement(
      "CreateNetworkInterfaces",
      ["ec2:CreateNetworkInterface"],
      [...subnets, ...network.securityGroupIds.map((id) => ec2(`security-group/${id}`)), interfaces],
    ),
    statement(
      "AssignAddresses",
      ["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"],
      [...subnets, interfaces],
    ),
    // The guide demands all resources of the account, because an interface's id is not known beforehand.
    statement("DeleteNetworkInterfaces", ["ec2:DeleteNetworkInterface"], ec2("*/*")),
  ];
}
