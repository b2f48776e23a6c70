import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { VariableName, Handler } from "../../runtime/function/handler";
import type { FunctionEnvironment } from "./access";
import { lambdaPackage } from "./lambda-package";
import { checkEnvironment, checkPolicy } from "./limits";
import { attachment, type Network } from "../monolith/network";
import { allow, type PolicyStatement, trust } from "./policy";

export interface HandlerFunctionArgs<V extends VariableName> {
  /** Names the handler in errors, e.g. `domain "orders", commands`. */
  owner: string;
  handler: Handler<V>;
  /** What the function may do in addition to writing its own log. */
  statements: pulumi.Input<PolicyStatement>[];
  /** The environment variables that the handler reads. No secrets. */
  environment: FunctionEnvironment<V>;
  /** The network to attach the function to. @default none */
  network?: Network | undefined;
  /** @default 30 */
  timeoutSeconds?: number;
  /** @default 512 */
  memoryMegabytes?: number;
  /** Days that its log is kept. */
  logRetentionDays: number;
  /** What must be deployed before the function's new code. @default nothing */
  after?: pulumi.Resource[] | undefined;
}

/** A function's timeout, where none is given. */
export const DEFAULT_TIMEOUT_SECONDS = 30;

/** A Lambda function with its own role, policy and log group; nothing is attached by default. */
export class HandlerFunction<V extends VariableName> extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly name: pulumi.Output<string>;
  /** Depend on it where the function needs its permissions, e.g. in an event source mapping. */
  readonly policy: aws.iam.RolePolicy;

  constructor(name: string, args: HandlerFunctionArgs<V>, opts?: pulumi.ComponentResourceOptions) {
    super("domain-consistency:components:HandlerFunction", name, {}, opts);
    const child = { parent: this };
    const logGroup = new aws.cloudwatch.LogGroup(
      `${name}-log`,
      {
        name: `/aws/lambda/${pulumi.getProject()}-${pulumi.getStack()}-${name}`,
        retentionInDays: args.logRetentionDays,
      },
      child,
    );
    const role = new aws.iam.Role(`${name}-role`, { assumeRolePolicy: trust("lambda.amazonaws.com") }, child);
    const writeLog: PolicyStatement = {
      Sid: "WriteLog",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: pulumi.interpolate`${logGroup.arn}:*`,
    };
    const { network } = args;
    const attaching = network ? attachment(network, logGroup.arn) : [];
    // Before the function, which depends on its policy. A preview does not know the policy either where it does not
    // know all variables.
    const policy = pulumi
      .all([allow([writeLog, ...attaching, ...args.statements]), variablesOf(args.environment)])
      .apply(([document, variables]) => {
        checkEnvironment(args.owner, variables);
        checkPolicy(args.owner, document);
        return document;
      });
    this.policy = new aws.iam.RolePolicy(`${name}-policy`, { role: role.id, policy }, child);
    const lambda = new aws.lambda.Function(
      name,
      {
        code: archive(args),
        handler: "index.handler",
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        role: role.arn,
        timeout: args.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
        memorySize: args.memoryMegabytes ?? 512,
        environment: { variables: args.environment },
        loggingConfig: { logFormat: "JSON", logGroup: logGroup.name },
        ...(network ? { vpcConfig: network } : {}),
      },
      { ...child, dependsOn: [this.policy, ...(args.after ?? [])] },
    );
    this.arn = lambda.arn;
    this.name = lambda.name;
    this.registerOutputs({ arn: this.arn, name: this.name });
  }
}

function variablesOf(
  environment: Record<string, pulumi.Input<string>>,
): pulumi.Output<Record<string, string>> {
  return pulumi.output(environment);
}

async function archive<V extends VariableName>({
  owner,
  handler,
}: HandlerFunctionArgs<V>): Promise<pulumi.asset.Archive> {
  const text = await lambdaPackage(owner, handler.callbackFactory);
  return new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(text) });
}
