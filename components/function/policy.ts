import * as pulumi from "@pulumi/pulumi";

/** One statement of a function's policy: named actions on named resources. */
export interface PolicyStatement {
  /** Says what the statement is for; letters and digits. */
  Sid: string;
  Action: string[];
  /** ARNs; "*" only for actions without resource-level permissions. */
  Resource: pulumi.Input<string> | pulumi.Input<string>[];
  Condition?: Record<string, Record<string, pulumi.Input<string> | string[]>>;
}

const POLICY_VERSION = "2012-10-17";

/** Makes a policy document that allows exactly these statements. */
export function allow(statements: pulumi.Input<PolicyStatement>[]): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: POLICY_VERSION,
    Statement: statements.map((statement) =>
      pulumi.output(statement).apply(({ Sid, ...rest }) => ({ Sid, Effect: "Allow", ...rest })),
    ),
  });
}

/** Makes a trust policy for one AWS service, e.g. "lambda.amazonaws.com". */
export function trust(service: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: POLICY_VERSION,
    Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: service } }],
  });
}

/**
 * Makes a queue policy that allows one EventBridge rule or a few, and nothing else, to send to the queue.
 *
 * @param ruleArn may have wildcards, which ArnEquals matches as ArnLike does
 */
export function allowRule(
  queueArn: pulumi.Input<string>,
  ruleArn: pulumi.Input<string> | pulumi.Input<string>[],
): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: POLICY_VERSION,
    Statement: [
      {
        Sid: "EventsOfTheRule",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn,
        Condition: { ArnEquals: { "aws:SourceArn": ruleArn } },
      },
    ],
  });
}
