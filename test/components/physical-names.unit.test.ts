import "../support/program/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../dist/components/event-bus.js";
import { Microservice } from "../../dist/components/microservice/microservice.js";
import { MonolithModule } from "../../dist/components/monolith/module.js";
import { validateDomains } from "../../dist/registry/validate.js";
import { domain as loans } from "../../dist/test/fixtures/domains/loans/index.js";
import { domain as members } from "../../dist/test/fixtures/domains/members/index.js";
import { apiFaults } from "../support/aws-api/check-inputs";
import { deploy } from "../support/program/mocks";
import { physicalName, providerFaults } from "../support/program/provider-rules";
import { DATABASE } from "../support/postgres/monolith-database";

const LONGEST = { domain: 20, subscription: 24, table: 32 };

/** A domain whose names have these lengths, made of a fixture domain. */
function named<D extends typeof loans | typeof members>(domain: D, lengths: typeof LONGEST): D {
  const name = "d".repeat(lengths.domain);
  const [table] = Object.values(domain.tables);
  const { members: project, leavers: react } = loans.subscriptions;
  const subscription = (letter: string) => letter.repeat(lengths.subscription);
  return {
    ...domain,
    name,
    tables: { ["t".repeat(lengths.table)]: table! },
    subscriptions: { [subscription("p")]: project!, [subscription("r")]: react! },
    commands: {},
  };
}

const service = named(loans, LONGEST);
const module = named(members, LONGEST);
const deployment = await deploy(() => {
  const bus = new EventBus("events");
  const shared = {
    bus,
    deletionProtection: true,
    logRetentionDays: 7,
    alarmTopicArn: undefined,
  };
  new Microservice(service.name, { ...shared, domain: service, outboxRetentionDays: 30 });
  new MonolithModule(module.name, { ...shared, module, relay: bus, database: DATABASE });
});
const resources = deployment.declared.filter(({ custom }) => custom);

test("The longest names that a domain may give make physical names that AWS takes, with the suffix that Pulumi adds", () => {
  expect(resources.flatMap(providerFaults)).toEqual([]);
  expect(resources.flatMap(apiFaults)).toEqual([]);
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
  const tooLong = named(loans, { domain: 21, subscription: 25, table: 33 });
  const lengthFaults = (domain: typeof loans) =>
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
