import "../support/program/unpackaged";
import { describe, expect, test } from "vitest";
import { EventBus } from "../../dist/components/event-bus.js";
import { Microservice } from "../../dist/components/microservice/microservice.js";
import { Monolith } from "../../dist/components/monolith/monolith.js";
import type { AnyDomain, MicroserviceDomain, MonolithModule } from "../../dist/runtime/define/domain.js";
import { apiFaults } from "../support/aws-api/check-inputs";
import { faultsOf } from "../support/domain/domain-faults";
import { largeDomain, type Size } from "../support/domain/large-domain";
import { DATABASE } from "../support/postgres/monolith-database";
import { type Declared, deploy } from "../support/program/mocks";
import { providerFaults } from "../support/program/provider-rules";

const LONGEST_SECRET_ARN = `arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:${"s".repeat(512)}-AbCdEf`;

/** The longest settings that a stack may have. */
const LARGEST_DATABASE = {
  ...DATABASE,
  host: "h".repeat(255),
  name: "d".repeat(56),
  port: 65_535,
  network: {
    subnetIds: Array.from({ length: 16 }, (_, index) => `subnet-0123456789abcde${(index + 16).toString(16)}`),
    securityGroupIds: Array.from({ length: 5 }, (_, index) => `sg-0123456789abcdef${index}`),
  },
};

/** Deploys a domain, with the largest settings. */
async function resourcesOf(domain: AnyDomain, alarmTopicArn?: string): Promise<Declared[]> {
  const { declared } = await deploy(() => {
    const shared = {
      bus: new EventBus("events"),
      deletionProtection: true,
      logRetentionDays: 7,
      alarmTopicArn,
    };
    if (domain.kind === "microservice") {
      new Microservice(domain.name, {
        ...shared,
        domain: domain as MicroserviceDomain,
        outboxRetentionDays: 3650,
      });
      return;
    }
    new Monolith("monolith", {
      ...shared,
      modules: [domain as MonolithModule],
      database: {
        ...LARGEST_DATABASE,
        moduleSecretArns: { [domain.name]: LONGEST_SECRET_ARN },
        retentionSecretArn: LONGEST_SECRET_ARN,
      },
      streamShards: 1,
      streamRetentionHours: 168,
      replicationInstanceClass: "dms.t3.micro",
      outboxRetentionDays: 3650,
    });
  });
  return declared.filter(({ custom }) => custom);
}

/** The most of one thing that the registry accepts in a domain. */
function mostAccepted(kind: AnyDomain["kind"], sizeOf: (count: number) => Size): number {
  const isAccepted = (count: number) => faultsOf(...largeDomain(kind, sizeOf(count))).length === 0;
  let [most, refused] = [0, 256];
  while (refused - most > 1) {
    const middle = Math.floor((most + refused) / 2);
    if (isAccepted(middle)) most = middle;
    else refused = middle;
  }
  return most;
}

const KINDS: { kind: AnyDomain["kind"]; what: string; sizeOf: (count: number) => Size; atLeast: number }[] = [
  { kind: "monolith-module", what: "projections", sizeOf: (projections) => ({ projections }), atLeast: 40 },
  {
    kind: "monolith-module",
    what: "projections with 5 indexes",
    sizeOf: (projections) => ({ projections, indexes: 5 }),
    atLeast: 6,
  },
  { kind: "microservice", what: "projections", sizeOf: (projections) => ({ projections }), atLeast: 60 },
  { kind: "microservice", what: "tables", sizeOf: (tables) => ({ tables }), atLeast: 30 },
  {
    kind: "microservice",
    what: "projections beside 20 tables",
    sizeOf: (projections) => ({ projections, tables: 20 }),
    atLeast: 20,
  },
];

const largest = [];
for (const size of KINDS) {
  const most = mostAccepted(size.kind, size.sizeOf);
  const [domain] = largeDomain(size.kind, size.sizeOf(most));
  const resources = await resourcesOf(domain, "arn:aws:sns:us-gov-west-1:111122223333:alarms");
  largest.push({ ...size, most, resources });
}

describe.each(largest)(
  "A $kind with as many $what as the registry accepts",
  ({ kind, sizeOf, atLeast, most, resources }) => {
    test(`has ${most}, and the registry says why not one more`, () => {
      expect(most).toBeGreaterThanOrEqual(atLeast);
      const faults = faultsOf(...largeDomain(kind, sizeOf(most + 1)));
      for (const fault of faults) {
        expect(fault).toMatch(
          /^domains\/d+: (the function of the commands|subscription "reaction") uses \d+ tables and projections, whose (names take \d+ bytes of its environment variables|ARNs and indexes take about \d+ characters of its policy); \d+ are left for them\. Use fewer in one handler, give them shorter names, or split the domain\.$/,
        );
      }
      expect(faults.length).toBeGreaterThan(0);
    });

    test("is accepted by AWS and the provider, with the largest settings", () => {
      expect(resources.flatMap(apiFaults)).toEqual([]);
      expect(resources.flatMap(providerFaults)).toEqual([]);
    });
  },
);

const subscribed = [];
for (const eventTypes of [60, 250]) {
  const [domain] = largeDomain("microservice", { projections: 2, eventTypes });
  subscribed.push({ eventTypes, resources: await resourcesOf(domain) });
}

test.each(subscribed)(
  "Subscriptions to $eventTypes event types are accepted by AWS and the provider",
  ({ resources }) => {
    expect(resources.filter(({ type }) => type.endsWith(":EventRule")).length).toBeGreaterThan(4);
    expect(resources.flatMap(apiFaults)).toEqual([]);
    expect(resources.flatMap(providerFaults)).toEqual([]);
  },
);

test("46 projections with names of ordinary length are accepted, also in one handler of a module", () => {
  const size = { projections: 46, names: { domain: 8, part: 11 } };
  expect(faultsOf(...largeDomain("monolith-module", size))).toEqual([]);
  expect(faultsOf(...largeDomain("microservice", size))).toEqual([]);
});
