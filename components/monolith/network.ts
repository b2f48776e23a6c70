import type * as pulumi from "@pulumi/pulumi";
import type { PolicyStatement } from "../function/policy";

/** The private network in which a database is reached. */
export interface Network {
  /** Two or more, in different availability zones. */
  subnetIds: string[];
  /** What the database must let in. */
  securityGroupIds: string[];
}

/** Lambda attaches a function with the rights of its role. The function's own calls carry its ARN: for them these rights do not count. */
const BY_LAMBDA_ONLY = { Null: { "lambda:SourceFunctionArn": "true" } };

/**
 * What Lambda needs to attach a function to a network, and no more than its developer guide lets one leave out ("Giving Lambda functions
 * access to resources in an Amazon VPC", required IAM permissions).
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
    // EC2 knows no resources for these two: they are allowed on all, or not at all.
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
    // By the guide it has to be all resources of the account, since an interface's id is not known before.
    statement("DeleteNetworkInterfaces", ["ec2:DeleteNetworkInterface"], ec2("*/*")),
  ];
}
