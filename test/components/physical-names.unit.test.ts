import "../support/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../dist/components/event-bus.js";
import { Microservice } from "../../dist/components/microservice/microservice.js";
import { MonolithModule } from "../../dist/components/monolith/module.js";
import { domain as catalog } from "../../dist/domains/catalog/index.js";
import { validateDomains } from "../../dist/registry/validate.js";
import { domain as orders } from "../../dist/domains/orders/index.js";
import { deploy } from "../support/mocks";
import { physicalName, providerFaults } from "../support/provider-rules";
import { REQUIRED_CONFIG } from "../support/stack-config";

const { applicationSecretArn, captureSecretArn, retentionSecretArn } = REQUIRED_CONFIG;
const LONGEST = { domain: 20, subscription: 24, table: 32 };

/** A domain whose names have these lengths, made of a sample domain. */
function named<D extends typeof orders | typeof catalog>(domain: D, lengths: typeof LONGEST): D {
  const name = "d".repeat(lengths.domain);
  const [table] = Object.values(domain.tables);
  const [project, react] = [orders.subscriptions.customers, orders.subscriptions.dispatch];
  const subscription = (letter: string) => letter.repeat(lengths.subscription);
  return {
    ...domain,
    name,
    tables: { ["t".repeat(lengths.table)]: table },
    subscriptions: { [subscription("p")]: project, [subscription("r")]: react },
    commands: {},
  };
}

const service = named(orders, LONGEST);
const module = named({ ...catalog, kind: "monolith-module" }, LONGEST);
const deployment = await deploy(() => {
  const shared = {
    bus: new EventBus("events"),
    deletionProtection: true,
    logRetentionDays: 7,
    alarmTopicArn: undefined,
  };
  new Microservice(service.name, { ...shared, domain: service, outboxRetentionDays: 30 });
  const database = {
    host: "h",
    port: 1,
    name: "n",
    tls: "disable" as const,
    applicationSecretArn,
    captureSecretArn,
    retentionSecretArn,
  };
  new MonolithModule(module.name, { ...shared, module, database });
});
const resources = deployment.declared.filter(({ custom }) => custom);

test("The longest names that a domain may give make physical names that AWS takes, with the suffix that Pulumi adds", () => {
  expect(resources.flatMap(providerFaults)).toEqual([]);
});

test("The longest physical name is the role of a subscription's function, and leaves nothing but a few characters", () => {
  const longest = deployment
    .ofType("aws:iam/role:Role")
    .map(physicalName)
    .sort((one, other) => other.length - one.length);
  expect(longest[0]).toMatch(/^d{20}-on-[pr]{24}-role-1234567$/);
  expect(longest[0]?.length).toBeLessThanOrEqual(64);
});

test("The registry accepts these names, and refuses names that are longer by one", () => {
  const tooLong = named(orders, { domain: 21, subscription: 25, table: 33 });
  const lengthFaults = (domain: typeof orders) =>
    validateDomains([{ folder: domain.name, domain }])
      .filter(({ problem }) => problem.includes("characters; the limit is"))
      .map(({ thing, problem }) => `${thing.split(" ")[0]} ${problem}`);
  expect(lengthFaults(service)).toEqual([]);
  expect(lengthFaults(tooLong)).toEqual([
    "domain has a name of 21 characters; the limit is 20",
    "table has a name of 33 characters; the limit is 32",
    "subscription has a name of 25 characters; the limit is 24",
    "subscription has a name of 25 characters; the limit is 24",
  ]);
});
