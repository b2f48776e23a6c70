import { SimulatePrincipalPolicyCommand, type IAMClient } from "@aws-sdk/client-iam";
import { codedError } from "../../runtime/function/coded-error";

/** What a function's role must allow on the stream. */
const ON_STREAM = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"];
/** AWS's own examples allow this one on the stream or on everything. */
const ON_STREAM_OR_ANY = "dynamodb:ListStreams";
/** A role may be changed while its mapping runs. */
const VALID_MILLISECONDS = 2_000;

/**
 * Checks by the emulator's policy simulator that a role may read a table's stream, with the message AWS has for one that may not. The
 * last answer holds for two seconds.
 *
 * @throws AccessDeniedException (as `code` and `name`), like the SDK's
 */
export function streamPermission(iam: IAMClient, roleArn: string, streamArn: string): () => Promise<void> {
  let checked: Promise<void> | undefined;
  let validUntil = 0;
  return () => {
    if (checked && Date.now() < validUntil) return checked;
    validUntil = Date.now() + VALID_MILLISECONDS;
    checked = check(iam, roleArn, streamArn);
    return checked;
  };
}

async function check(iam: IAMClient, roleArn: string, streamArn: string): Promise<void> {
  const denied = await deniedActions(iam, roleArn, [...ON_STREAM, ON_STREAM_OR_ANY], streamArn);
  if (
    denied.includes(ON_STREAM_OR_ANY) &&
    (await deniedActions(iam, roleArn, [ON_STREAM_OR_ANY], "*")).length === 0
  ) {
    denied.splice(denied.indexOf(ON_STREAM_OR_ANY), 1);
  }
  if (denied.length === 0) return;
  const error = codedError(
    "AccessDeniedException",
    `Cannot access stream ${streamArn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM. "${roleArn}" is not allowed ${denied.join(", ")}.`,
  );
  throw Object.assign(error, { name: "AccessDeniedException" });
}

async function deniedActions(
  iam: IAMClient,
  roleArn: string,
  actions: readonly string[],
  resource: string,
): Promise<string[]> {
  const { EvaluationResults } = await iam.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: roleArn,
      ActionNames: [...actions],
      ResourceArns: [resource],
    }),
  );
  return (EvaluationResults ?? [])
    .filter(({ EvalDecision }) => EvalDecision !== "allowed")
    .map(({ EvalActionName }) => EvalActionName ?? "?");
}
