import "../support/program/unpackaged";
import { describe, expect, test } from "vitest";
import { ALL_DOMAINS } from "../support/program/domain-sources";
import { expectedFunctions, queueUrl } from "../support/program/expected-program";
import { expectedResources } from "../support/program/expected-resources";
import { handlersOf, missingPermissions, needlessStatements } from "../support/program/handler-code";
import { type Declared, json } from "../support/program/mocks";
import { type ShortStatement, statementsIn, statementsOf } from "../support/program/policy-statements";
import { SUFFIX } from "../support/program/provider-state";
import { deployProgram } from "../support/program/whole-program";

// What holds for any domains, and so for those that a team adds, changes or deletes: nothing here needs to be
// edited with them.
const programs = [];
for (const domains of ALL_DOMAINS)
  programs.push({ ...domains, deployment: await deployProgram({}, domains) });

/** Statements that depend on what the code of handlers calls. */
const BY_CODE = [
  "ReadEntities",
  "QueryIndexes",
  "WriteInTransactions",
  "ReadProjections",
  "QueryProjections",
];
const sorted = (statements: ShortStatement[]) =>
  statements
    .map((statement) => ({ ...statement, Resource: [...new Set(statement.Resource)].sort() }))
    .sort((one, other) => (one.Sid < other.Sid ? -1 : 1));
const variablesOf = ({ inputs }: Declared) =>
  (inputs.environment as { variables: Record<string, string> }).variables;
const parsed = (variables: Record<string, string> | undefined) =>
  Object.fromEntries(
    Object.entries(variables ?? {}).map(([name, value]) => [
      name,
      name.endsWith("_TABLES") ? json(value) : value,
    ]),
  );
const queueArn = (name: string) => `arn:aws:sqs:eu-central-1:111122223333:${name}${SUFFIX}`;

describe.each(programs)("With $name, the program", ({ registry, deployment }) => {
  const { one } = deployment;
  const hasMonolith = registry.modules.length > 0;
  const expected = expectedFunctions(registry);
  const functions = deployment.ofType("aws:lambda/function:Function");
  const subscriptions = registry.all.flatMap((domain) =>
    Object.entries(domain.subscriptions).map(([name, subscription]) => ({
      name: `${domain.name}-on-${name}`,
      kind: domain.kind,
      subscription,
    })),
  );

  test("declares the resources that the domains call for, and no others", () => {
    const declared = deployment.declared.filter(({ custom }) => custom);
    const typed = declared.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`);
    expect(typed.sort()).toEqual(expectedResources(registry));
  });

  test("has a function for each handler of each domain", () => {
    expect(functions.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  });

  test.each(Object.keys(expected))("allows %s nothing but what its `uses` call for", (name) => {
    const most = sorted(expected[name]?.statements ?? []);
    const granted = sorted(statementsOf(deployment, name));
    for (const { Resource, ...statement } of granted) {
      const allowed = most.find(({ Sid }) => Sid === statement.Sid);
      expect({ ...statement, Resource: Resource.filter((one) => !allowed?.Resource.includes(one)) }).toEqual({
        ...allowed,
        Resource: [],
      });
    }
    const missing = most.filter(({ Sid }) => !granted.some((one) => one.Sid === Sid)).map(({ Sid }) => Sid);
    expect(missing.filter((sid) => !BY_CODE.includes(sid))).toEqual([]);
  });

  const handlers = Object.assign({}, ...registry.all.map(handlersOf)) as ReturnType<typeof handlersOf>;

  test.each(Object.keys(handlers))(
    "allows %s whatever its code calls, and nothing that it does not",
    (name) => {
      const domain = registry.all.find((one) => name.startsWith(`${one.name}-`));
      const tableOf = (used: string) => {
        if (domain?.subscriptions[used]) return `table/${domain.name}-${used}-projection`;
        return domain?.kind === "microservice" ? `table/${domain.name}-${used}-table` : undefined;
      };
      const granted = statementsOf(deployment, name);
      expect(missingPermissions(handlers[name] ?? [], granted, tableOf)).toEqual([]);
      expect(needlessStatements(handlers[name] ?? [], granted)).toEqual([]);
    },
  );

  test.each(functions)("gives $name exactly the variables that its handler reads", (lambda) => {
    expect(parsed(variablesOf(lambda))).toEqual(parsed(expected[lambda.name]?.variables));
  });

  test.each(subscriptions)(
    "has a rule, a queue and dead-letter queues with alarms for $name",
    ({ name, kind, subscription }) => {
      const { aggregate } = subscription;
      const types = Object.keys(subscription.kind === "project" ? aggregate.events : subscription.on);
      expect(json(one("aws:cloudwatch/eventRule:EventRule", `${name}-rule`).inputs.eventPattern)).toEqual({
        source: [aggregate.name.split(".")[0]],
        "detail-type": types.sort(),
        "replay-name": [{ exists: false }],
      });
      expect(one("aws:cloudwatch/eventTarget:EventTarget", `${name}-target`).inputs).toMatchObject({
        rule: `${name}-rule${SUFFIX}`,
        arn: queueArn(`${name}-queue`),
        deadLetterConfig: { arn: queueArn(`${name}-target-dlq`) },
      });
      expect(json(one("aws:sqs/queue:Queue", `${name}-queue`).inputs.redrivePolicy)).toMatchObject({
        deadLetterTargetArn: queueArn(`${name}-dlq`),
      });
      const source = one("aws:lambda/eventSourceMapping:EventSourceMapping", `${name}-source`).inputs;
      expect(source).toMatchObject({
        eventSourceArn: queueArn(`${name}-queue`),
        functionName: expect.stringMatching(new RegExp(`:function:${name}${SUFFIX}$`)),
        functionResponseTypes: ["ReportBatchItemFailures"],
      });
      const usesDatabase = kind === "monolith-module" && subscription.kind === "react";
      expect(source.scalingConfig).toEqual(usesDatabase ? { maximumConcurrency: 5 } : undefined);
      for (const queue of [`${name}-dlq`, `${name}-target-dlq`]) {
        const { inputs } = one("aws:cloudwatch/metricAlarm:MetricAlarm", `${queue}-alarm`);
        expect(inputs).toMatchObject({ dimensions: { QueueName: queue + SUFFIX }, threshold: 0 });
      }
    },
  );

  test("keys and indexes each table as it is registered", () => {
    const keys = Object.fromEntries(
      deployment
        .ofType("aws:dynamodb/table:Table")
        .map(({ name, inputs }) => [
          name,
          [
            inputs.hashKey,
            ...(
              inputs.globalSecondaryIndexes as { name: string; keySchemas: { attributeName: string }[] }[]
            ).map(
              (index) =>
                `${index.name}: ${index.keySchemas.map(({ attributeName }) => attributeName).join()}`,
            ),
          ],
        ]),
    );
    const tables = registry.microservices.flatMap(({ name, tables }) => [
      ...Object.entries(tables).map(([table, { aggregate, indexes }]) => [
        `${name}-${table}-table`,
        [aggregate.key, ...indexes.map((index) => `${index}: ${index}`)],
      ]),
      [`${name}-outbox`, ["aggregateKey"]],
      [`${name}-inbox`, ["messageId"]],
    ]);
    const projections = registry.all.flatMap(({ name, subscriptions }) =>
      Object.entries(subscriptions).flatMap(([projection, subscription]) =>
        subscription.kind === "project"
          ? [
              [
                `${name}-${projection}-projection`,
                ["aggregateId", ...subscription.indexes.map((index) => `${index}: by_${index}`)],
              ],
            ]
          : [],
      ),
    );
    const relays = [...(hasMonolith ? ["monolith"] : []), ...registry.microservices.map(({ name }) => name)];
    const holds = relays.map((name) => [`${name}-relay-holds`, ["aggregateKey"]]);
    expect(keys).toEqual(Object.fromEntries([...tables, ...projections, ...holds]));
  });

  test("names every domain, projection, queue and quarantine in its outputs", () => {
    const byDomain = (value: (domain: (typeof registry.all)[number]) => unknown) =>
      Object.fromEntries(registry.all.map((domain) => [domain.name, value(domain)]));
    const queuesOf = (name: string) => ({
      queue: queueUrl(`${name}-queue`),
      deadLetters: queueUrl(`${name}-dlq`),
      targetDeadLetters: queueUrl(`${name}-target-dlq`),
    });
    const holds = (name: string) => [name, `${name}-relay-holds${SUFFIX}`] as const;
    const quarantine = (name: string) => [name, queueUrl(`${name}-relay-quarantine`)] as const;
    expect(deployment.outputs).toEqual({
      busArn: `arn:aws:events:eu-central-1:111122223333:event-bus/events${SUFFIX}`,
      commandFunctions: byDomain(({ name }) => `${name}-commands${SUFFIX}`),
      retentionFunction: hasMonolith ? `monolith-retention${SUFFIX}` : null,
      projectionTables: byDomain(({ name, subscriptions }) =>
        Object.fromEntries(
          Object.entries(subscriptions).flatMap(([projection, { kind }]) =>
            kind === "project" ? [[projection, `${name}-${projection}-projection${SUFFIX}`]] : [],
          ),
        ),
      ),
      queues: byDomain(({ name, subscriptions }) =>
        Object.fromEntries(
          Object.keys(subscriptions).map((subscription) => [
            subscription,
            queuesOf(`${name}-on-${subscription}`),
          ]),
        ),
      ),
      quarantineQueues: Object.fromEntries([
        ...(hasMonolith ? [quarantine("monolith")] : []),
        ...registry.microservices.map(({ name }) => quarantine(name)),
      ]),
      unclaimedQueue: queueUrl("unclaimed-queue"),
      holdsTables: Object.fromEntries([
        ...(hasMonolith ? [holds("monolith")] : []),
        ...registry.microservices.map(({ name }) => holds(name)),
      ]),
    });
  });

  test("has no policy with a wildcard in an action, or with a resource that is not named", () => {
    const statements = deployment.ofType("aws:iam/rolePolicy:RolePolicy").flatMap(statementsIn);
    expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes("*"))).toEqual([]);
    const wide = statements
      .filter(({ Sid }) => Sid !== "WriteLog")
      .flatMap(({ Resource }) => Resource)
      .filter((resource) => resource === "" || resource.includes("*"));
    expect(wide).toEqual([]);
  });

  test("has no role with a managed policy, and gives every role one policy", () => {
    const roles = deployment.ofType("aws:iam/role:Role");
    expect(roles.flatMap(({ inputs }) => Object.keys(inputs))).toEqual(roles.map(() => "assumeRolePolicy"));
    const policies = deployment.ofType("aws:iam/rolePolicy:RolePolicy").map(({ inputs }) => inputs.role);
    expect(policies.sort()).toEqual(roles.map(({ name }) => name + SUFFIX).sort());
  });

  test("lets every role be assumed by the one service that needs it", () => {
    const trusted = deployment.ofType("aws:iam/role:Role").map(({ name, inputs }) => {
      const { Statement } = json(inputs.assumeRolePolicy) as {
        Statement: { Principal: { Service: string } }[];
      };
      return `${name}: ${Statement.map(({ Principal }) => Principal.Service).join()}`;
    });
    const services = [
      ...Object.keys(expected).map((name) => `${name}-role: lambda.amazonaws.com`),
      ...(hasMonolith
        ? ["monolith-source-role: dms.eu-central-1.amazonaws.com", "monolith-target-role: dms.amazonaws.com"]
        : []),
    ];
    expect(trusted.sort()).toEqual(services.sort());
  });
});
