import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { POLICY_VERSION } from "./policy";

/** The private network in which a database is reached. */
export interface Network {
  /** Two or more, in different availability zones. */
  subnetIds: string[];
  /** What the database must let in. */
  securityGroupIds: string[];
}

/** What Lambda does as the function's role to attach it. Source: AWS Lambda developer guide, "Required IAM permissions". */
const DESCRIBING = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"];
const MANAGING = [
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:AssignPrivateIpAddresses",
  "ec2:UnassignPrivateIpAddresses",
];

/**
 * Lets Lambda attach a function to a network. Lambda takes the rights of the function's role for it and asks for them on all interfaces of
 * the account; so the function's own code is denied them.
 *
 * @param anyArn an ARN in the account and the Region
 */
export function allowAttachment(
  name: string,
  role: aws.iam.Role,
  anyArn: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): aws.iam.RolePolicy {
  const inAccount = (service: string, resource: string) =>
    anyArn.apply((arn) => {
      const [, partition, , region, account] = arn.split(":");
      return `arn:${partition}:${service}:${region}:${account}:${resource}`;
    });
  const policy = pulumi.jsonStringify({
    Version: POLICY_VERSION,
    Statement: [
      // These two know no resources.
      { Sid: "DescribeNetwork", Effect: "Allow", Action: DESCRIBING, Resource: "*" },
      {
        Sid: "ManageNetworkInterfaces",
        Effect: "Allow",
        Action: MANAGING,
        Resource: inAccount("ec2", "*/*"),
      },
      {
        Sid: "NotByTheFunction",
        Effect: "Deny",
        Action: [...DESCRIBING, ...MANAGING],
        Resource: "*",
        Condition: { ArnLike: { "lambda:SourceFunctionArn": inAccount("lambda", "function:*") } },
      },
    ],
  });
  return new aws.iam.RolePolicy(`${name}-network-policy`, { role: role.id, policy }, opts);
}
