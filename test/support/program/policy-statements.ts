import { type Declared, type Deployment, json } from "./mocks";
import { ACCOUNT, REGION } from "./stack-config";

/** A shortened statement of a policy. */
export interface ShortStatement {
  Sid: string;
  Action: string[];
  /**
   * Without partition, Region, account and the suffix of generated names, e.g.
   * "dynamodb:table/orders-outbox".
   */
  Resource: string[];
  Condition?: unknown;
}

/** The statements of a function's policy, without the one for its own log, which is asserted here. */
export function statementsOf(deployment: Deployment, functionName: string): ShortStatement[] {
  const [writeLog, ...statements] = statementsIn(
    deployment.one("aws:iam/rolePolicy:RolePolicy", `${functionName}-policy`),
  );
  const log = `logs:log-group:/aws/lambda/domain-consistency-dev-${functionName}:*`;
  if (writeLog?.Sid !== "WriteLog" || writeLog.Resource.join() !== log) {
    throw new Error(`The policy of "${functionName}" does not begin with writing its own log.`);
  }
  return statements;
}

/** The shortened statements of a policy. */
export function statementsIn(policy: Declared): ShortStatement[] {
  const { Statement } = json(policy.inputs.policy) as { Statement: RawStatement[] };
  return Statement.map(({ Sid, Effect, Action, Resource, ...rest }) => {
    if (Effect !== "Allow")
      throw new Error(`The statement "${Sid}" of "${policy.name}" has the effect "${Effect}".`);
    return { Sid, Action, Resource: [Resource].flat().map(shortArn), ...rest };
  });
}

/** An ARN without partition, Region and account, e.g. "sqs:orders-on-customers-queue". */
function shortArn(arn: string): string {
  return arn
    .replace(/^arn:aws:([a-z0-9-]+):[a-z0-9-]*:\d*:/, "$1:")
    .replace(/-1234567/, "")
    .replace(`${REGION}:${ACCOUNT}:`, "");
}

interface RawStatement {
  Sid: string;
  Effect: string;
  Action: string[];
  Resource: string | string[];
  Condition?: unknown;
}
