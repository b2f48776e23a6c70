import { codedError } from "../../runtime/function/coded-error";

/**
 * Bytes of a function's variables, names included, as JSON: what Lambda's error for too many shows that it measures.
 * Source: AWS Lambda quotas.
 */
const MOST_VARIABLE_BYTES = 4_096;
/** Characters of all inline policies of a role, without white space. Source: IAM and AWS STS quotas. */
const MOST_POLICY_CHARACTERS = 10_240;

const REMEDY = "Let it use fewer tables and projections, give them shorter names, or split the domain.";

/**
 * Checks a function's environment variables against Lambda's limit.
 *
 * @param owner names the function in errors
 * @throws ENVIRONMENT_TOO_LARGE
 */
export function checkEnvironment(owner: string, variables: Record<string, string>): void {
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  if (bytes <= MOST_VARIABLE_BYTES) return;
  throw codedError(
    "ENVIRONMENT_TOO_LARGE",
    `The environment variables of the function of ${owner} have ${bytes} bytes; Lambda's limit is ${MOST_VARIABLE_BYTES}. ${REMEDY}`,
  );
}

/**
 * Checks a function's policy against IAM's limit.
 *
 * @param owner names the function in errors
 * @throws POLICY_TOO_LARGE
 */
export function checkPolicy(owner: string, policy: string): void {
  const { length } = policy.replace(/\s/g, "");
  if (length <= MOST_POLICY_CHARACTERS) return;
  throw codedError(
    "POLICY_TOO_LARGE",
    `The policy of the function of ${owner} has ${length} characters; IAM's limit is ${MOST_POLICY_CHARACTERS}. ${REMEDY}`,
  );
}
