import { expect, test } from "vitest";
import { loadDomains } from "../../dist/domains/registry.js";
import { AGGREGATES, PROJECTIONS, REACTIONS } from "../../dist/test/verdict/landscape.js";

/** What is written down by hand and shares no code with the domains is at least complete. */
const { modules, microservices } = loadDomains();
const domains = [...modules, ...microservices];
const subscriptions = domains.flatMap((domain) =>
  Object.entries(domain.subscriptions).map(([name, subscription]) => ({
    domain: domain.name,
    name,
    logicalName: `${domain.name}-on-${name}`,
    subscription,
  })),
);

test("the verdict knows every aggregate of the shop, its public fields and its private columns", () => {
  const known = AGGREGATES.map(({ name, columns, privateColumns }) => [
    name,
    Object.keys(columns),
    privateColumns[0],
  ]);
  const registered = domains.flatMap(({ name, tables }) =>
    Object.values(tables).map((table) => [
      `${name}.${table.aggregate.name}`,
      Object.keys(table.aggregate.state().shape),
      Object.keys(table.private().shape)[0],
    ]),
  );
  expect(known).toEqual(expect.arrayContaining(registered));
  expect(registered).toHaveLength(known.length);
});

test("the verdict knows every projection", () => {
  const projections = subscriptions.filter(({ subscription }) => subscription.kind === "project");
  expect(PROJECTIONS.map(({ subscription, aggregate }) => [subscription, aggregate]).sort()).toEqual(
    projections
      .map(({ logicalName, subscription: { aggregate } }) => [
        logicalName,
        `${aggregate.domain}.${aggregate.name}`,
      ])
      .sort(),
  );
});

test("the verdict knows every reaction", () => {
  const reactions = subscriptions.flatMap(({ domain, name, logicalName, subscription }) =>
    subscription.kind === "react"
      ? Object.keys(subscription.handlers).map((type) => ({
          subscription: logicalName,
          consumer: `${domain}.${name}`,
          to: { aggregate: `${subscription.aggregate.domain}.${subscription.aggregate.name}`, type },
        }))
      : [],
  );
  const known = REACTIONS.map(({ subscription, consumer, to }) => ({ subscription, consumer, to }));
  expect(known).toEqual(expect.arrayContaining(reactions));
  expect(reactions).toHaveLength(known.length);
});
