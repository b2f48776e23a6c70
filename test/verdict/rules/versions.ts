import { isDeepStrictEqual } from "node:util";
import { type Facts, grouped, keyOf, nameOfVersion } from "../facts";
import { type Finding, finder } from "../finding";
import type { AuditedChange, EntityRow } from "../snapshot";

const finding = finder("VERSIONS_WITHOUT_GAPS");

/** Follows the versions of each aggregate, and compares the last one with its table. */
export function judgeVersions({ snapshot, histories }: Facts): Finding[] {
  const standing = grouped(snapshot.entities, ({ aggregate, id }) => keyOf(aggregate, id));
  const followed = [...histories].flatMap(([key, history]) => [
    ...follow(history),
    ...compareWithTable(history, standing.get(key) ?? []),
  ]);
  const unexplained = snapshot.entities
    .filter(({ aggregate, id }) => !histories.has(keyOf(aggregate, id)))
    .map(({ aggregate, id, version }) =>
      finding(nameOfVersion(aggregate, id, version), "changes that led to it", "none"),
    );
  return [...followed, ...unexplained];
}

function follow(history: readonly AuditedChange[]): Finding[] {
  const findings: Finding[] = [];
  let version = 0;
  for (const { aggregate, id, oldVersion, newVersion } of history) {
    const where = nameOfVersion(aggregate, id, newVersion);
    // In DynamoDB an insert has the version of an earlier life, in PostgreSQL it does not.
    const seen = oldVersion ?? version;
    if (newVersion !== version + 1 || seen !== version)
      findings.push(
        finding(where, `a step from ${version} to ${version + 1}`, `from ${seen} to ${newVersion}`),
      );
    version = newVersion;
  }
  return findings;
}

function compareWithTable(history: readonly AuditedChange[], standing: readonly EntityRow[]): Finding[] {
  const last = history.at(-1);
  if (!last) return [];
  const where = nameOfVersion(last.aggregate, last.id, last.newVersion);
  const found = standing.map(({ version, row }) => ({ version, row }));
  const expected = { version: last.newVersion, row: last.row };
  return isDeepStrictEqual(found, [expected]) ? [] : [finding(where, expected, found)];
}
