import type { AnyDomain } from "../runtime/define/domain";
import { writeTableNames } from "../runtime/function/table-names";
import type { Report } from "./fault";

/**
 * Bytes of a function's variables that may name tables: Lambda's 4,096, less what its other variables need at most
 * (the longest host, database and ARN of a secret among them). Source: AWS Lambda quotas.
 */
const MOST_NAME_BYTES = 4_096 - 1_200;
/**
 * Characters of a function's policy that may name tables: IAM's 10,240, less what its other statements need at most;
 * for a module, in a network of 16 subnets and 5 security groups. Source: IAM and AWS STS quotas.
 */
const MOST_ARN_CHARACTERS = { "monolith-module": 10_240 - 5_000, microservice: 10_240 - 2_000 };
/** Of an ARN, its longest partition and Region: arn:aws-us-gov:dynamodb:us-gov-west-1:111122223333:table/, and quotes. */
const ARN_CHARACTERS = 60;
/** What Pulumi appends to a name. */
const SUFFIX = "-1234567";

const REMEDY = "Use fewer in one handler, give them shorter names, or split the domain";

/**
 * Checks that what the functions of a domain use fits into their environment variables and policies. The components
 * check the same when they know the physical names; this tells it before anything is created.
 */
export function checkSizes(domain: AnyDomain, report: Report): void {
  const commands = Object.values(domain.commands).flatMap(({ uses }) => Object.keys(uses));
  checkFunction("the function of the commands", domain, new Set(commands), report);
  for (const [name, subscription] of Object.entries(domain.subscriptions)) {
    if (subscription.kind !== "react") continue;
    checkFunction(`subscription "${name}"`, domain, new Set(Object.keys(subscription.uses)), report);
  }
}

/** A DynamoDB table that a function uses. */
interface UsedTable {
  name: string;
  physicalName: string;
  indexes: readonly string[];
}

function checkFunction(thing: string, domain: AnyDomain, uses: ReadonlySet<string>, report: Report): void {
  const entities = domain.kind === "microservice" ? entitiesOf(domain, uses) : [];
  const projections = projectionsOf(domain, uses);
  const count = entities.length + projections.length;
  const bytes = namesIn(entities) + namesIn(projections);
  if (bytes > MOST_NAME_BYTES) {
    report(
      thing,
      `uses ${count} tables and projections, whose names take ${bytes} bytes of its environment variables; ${MOST_NAME_BYTES} are left for them`,
      REMEDY,
    );
  }
  // Entities are read and written, projections are read.
  const characters = 2 * arnsOf(entities) + arnsOf(projections) + indexesOf([...entities, ...projections]);
  const most = MOST_ARN_CHARACTERS[domain.kind];
  if (characters > most) {
    report(
      thing,
      `uses ${count} tables and projections, whose ARNs and indexes take about ${characters} characters of its policy; ${most} are left for them`,
      REMEDY,
    );
  }
}

function entitiesOf({ name: domain, tables }: AnyDomain, uses: ReadonlySet<string>): UsedTable[] {
  return Object.entries(tables)
    .filter(([name]) => uses.has(name))
    .map(([name, { indexes }]) => ({ name, physicalName: `${domain}-${name}-table${SUFFIX}`, indexes }));
}

function projectionsOf({ name: domain, subscriptions }: AnyDomain, uses: ReadonlySet<string>): UsedTable[] {
  return Object.entries(subscriptions).flatMap(([name, subscription]) =>
    subscription.kind === "project" && uses.has(name)
      ? [{ name, physicalName: `${domain}-${name}-projection${SUFFIX}`, indexes: subscription.indexes }]
      : [],
  );
}

/** Lambda counts the variables as JSON, in which a quotation mark takes two bytes. */
function namesIn(tables: readonly UsedTable[]): number {
  const names = Object.fromEntries(tables.map(({ name, physicalName }) => [name, physicalName]));
  // Random suffixes have no common start.
  return JSON.stringify(writeTableNames(names)).length + tables.length * SUFFIX.length;
}

function arnsOf(tables: readonly UsedTable[]): number {
  return tables.reduce((sum, { physicalName }) => sum + ARN_CHARACTERS + physicalName.length, 0);
}

function indexesOf(tables: readonly UsedTable[]): number {
  return tables.reduce(
    (sum, { physicalName, indexes }) =>
      indexes.reduce(
        (all, index) => all + ARN_CHARACTERS + physicalName.length + `/index/${index}`.length,
        sum,
      ),
    0,
  );
}
