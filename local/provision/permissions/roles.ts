import type { DeployedResource, Deployment } from "../deployment";
import { policyAllows, roleAllows } from "./policy-evaluation";

/** A role with its policies. */
interface Role {
  name: string;
  trust: string;
  policies: string[];
}

/** The declared role with this ARN; undefined if the program declares none. */
function roleOf(deployment: Deployment, arn: unknown): Role | undefined {
  const role = deployment.byType("aws:iam/role:Role").find(({ state }) => state["arn"] === arn);
  if (!role) return undefined;
  return {
    name: role.name,
    trust: String(role.state["assumeRolePolicy"] ?? "{}"),
    policies: policiesOf(deployment, role),
  };
}

function policiesOf(deployment: Deployment, role: DeployedResource): string[] {
  return deployment
    .byType("aws:iam/rolePolicy:RolePolicy")
    .filter(({ state }) => state["role"] === role.id)
    .map(({ state }) => String(state["policy"]));
}

/** The policies of a function's role. */
export function functionPolicies(deployment: Deployment, lambda: DeployedResource): string[] {
  return roleOf(deployment, lambda.state["role"])?.policies ?? [];
}

function trusts({ trust }: Role, service: string): boolean {
  return policyAllows(trust, { service, action: "sts:AssumeRole", context: {} });
}

function denied(role: Role, actions: readonly string[], resource: string): string[] {
  return actions.filter((action) => !roleAllows(role.policies, { action, resource, context: {} }));
}

/** Functions whose role Lambda may not assume. */
export function refusedFunctions(deployment: Deployment): string[] {
  return deployment.byType("aws:lambda/function:Function").flatMap((lambda) => {
    const role = roleOf(deployment, lambda.state["role"]);
    if (!role || trusts(role, "lambda.amazonaws.com")) return [];
    return [`role "${role.name}" does not trust Lambda, so function "${lambda.name}" cannot assume it`];
  });
}

const WRITE_LOG = ["logs:CreateLogStream", "logs:PutLogEvents"];

/** Functions whose role may not write the function's log, which Lambda does with that role. */
export function silentFunctions(deployment: Deployment): string[] {
  const groups = deployment.byType("aws:cloudwatch/logGroup:LogGroup");
  return deployment.byType("aws:lambda/function:Function").flatMap((lambda) => {
    const role = roleOf(deployment, lambda.state["role"]);
    const { logGroup } = (lambda.state["loggingConfig"] ?? {}) as { logGroup?: unknown };
    const group = groups.find(({ state }) => state["name"] === logGroup);
    if (!role || !group) return [];
    const missing = denied(role, WRITE_LOG, `${String(group.state["arn"])}:log-stream:any`);
    return missing.map(
      (action) => `role "${role.name}" may not write the log of function "${lambda.name}" (${action})`,
    );
  });
}

/**
 * What Lambda demands of the role of a function before it reads an event source. Source: AWS Lambda developer guide,
 * "Required permissions" of the pages on Kinesis, DynamoDB and SQS.
 */
const POLL: Readonly<Record<string, readonly string[]>> = {
  kinesis: ["DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"],
  dynamodb: ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"],
  sqs: ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"],
};

/** Event source mappings whose function may not do all that Lambda demands when the mapping is created. */
export function refusedMappings(deployment: Deployment): string[] {
  const functions = deployment.byType("aws:lambda/function:Function");
  return deployment.byType("aws:lambda/eventSourceMapping:EventSourceMapping").flatMap((mapping) => {
    const { functionName, eventSourceArn } = mapping.state;
    const lambda = functions.find(({ id, state }) => [id, state["arn"]].includes(String(functionName)));
    const role = lambda && roleOf(deployment, lambda.state["role"]);
    if (!role) return [];
    const source = String(eventSourceArn);
    const [, , service = ""] = source.split(":");
    const actions = (POLL[service] ?? []).map((action) => `${service}:${action}`);
    return denied(role, actions, source).map(
      (action) => `role "${role.name}" may not read the source of mapping "${mapping.name}" (${action})`,
    );
  });
}

/**
 * What Lambda demands of the role of a function in a network. Source: AWS Lambda developer guide, "Giving Lambda
 * functions access to resources in an Amazon VPC".
 */
const ATTACH: readonly (readonly [action: string, resource: (subnet: string) => string])[] = [
  ["ec2:DescribeNetworkInterfaces", () => "*"],
  ["ec2:DescribeSubnets", () => "*"],
  ["ec2:CreateNetworkInterface", (subnet) => subnet],
  ["ec2:CreateNetworkInterface", (subnet) => subnet.replace(/subnet\/.*/, "network-interface/any")],
  ["ec2:AssignPrivateIpAddresses", (subnet) => subnet],
  ["ec2:UnassignPrivateIpAddresses", (subnet) => subnet],
  ["ec2:DeleteNetworkInterface", (subnet) => subnet.replace(/subnet\/.*/, "network-interface/any")],
];

/** Functions that Lambda may not attach to their network. */
export function unattachedFunctions(deployment: Deployment): string[] {
  return deployment.byType("aws:lambda/function:Function").flatMap((lambda) => {
    const { subnetIds = [] } = (lambda.state["vpcConfig"] ?? {}) as { subnetIds?: string[] };
    const role = roleOf(deployment, lambda.state["role"]);
    if (!role) return [];
    const [, partition, , region, account] = String(lambda.state["arn"]).split(":");
    return subnetIds.flatMap((id) => {
      const subnet = `arn:${partition}:ec2:${region}:${account}:subnet/${id}`;
      const missing = ATTACH.flatMap(([action, resource]) => denied(role, [action], resource(subnet)));
      return [...new Set(missing)].map(
        (action) =>
          `role "${role.name}" does not let Lambda attach function "${lambda.name}" to subnet "${id}" (${action})`,
      );
    });
  });
}

interface EndpointInputs {
  secretsManagerAccessRoleArn?: string;
  secretsManagerArn?: string;
  kinesisSettings?: { serviceAccessRoleArn?: string; streamArn?: string };
}

/**
 * Endpoints of DMS whose role DMS may not assume, or whose role may not do what DMS demands. Source: AWS DMS user
 * guide, "Using secrets to access AWS DMS endpoints" and "Prerequisites for using a Kinesis data stream as a target".
 */
export function refusedEndpoints(deployment: Deployment): string[] {
  return deployment.byType("aws:dms/endpoint:Endpoint").flatMap((endpoint) => {
    const inputs = endpoint.inputs as EndpointInputs;
    const { kinesisSettings: target } = inputs;
    const [, , , region] = String(endpoint.state["endpointArn"] ?? "").split(":");
    return [
      ...refusedRole(deployment, endpoint, {
        roleArn: inputs.secretsManagerAccessRoleArn,
        service: `dms.${region}.amazonaws.com`,
        actions: ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        resource: inputs.secretsManagerArn,
      }),
      ...refusedRole(deployment, endpoint, {
        roleArn: target?.serviceAccessRoleArn,
        service: "dms.amazonaws.com",
        actions: ["kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords"],
        resource: target?.streamArn,
      }),
    ];
  });
}

interface EndpointRole {
  roleArn: string | undefined;
  service: string;
  actions: readonly string[];
  resource: string | undefined;
}

function refusedRole(deployment: Deployment, endpoint: DeployedResource, wanted: EndpointRole): string[] {
  const role = wanted.roleArn === undefined ? undefined : roleOf(deployment, wanted.roleArn);
  if (!role) return [];
  const distrusts = trusts(role, wanted.service)
    ? []
    : [
        `role "${role.name}" does not trust ${wanted.service}, so endpoint "${endpoint.name}" cannot assume it`,
      ];
  const missing = denied(role, wanted.actions, wanted.resource ?? "");
  return [
    ...distrusts,
    ...missing.map(
      (action) => `role "${role.name}" does not allow what endpoint "${endpoint.name}" does (${action})`,
    ),
  ];
}
