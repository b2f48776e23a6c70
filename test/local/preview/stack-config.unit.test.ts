import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stackConfig } from "../../../local/preview/stack-config";

const folder = mkdtempSync(join(tmpdir(), "stack-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("A value is given as Pulumi gives it to the program: an object as JSON, and a secret not at all", () => {
  writeFileSync(join(folder, "Pulumi.yaml"), "config: { days: { default: 30 } }");
  writeFileSync(
    join(folder, "Pulumi.dev.yaml"),
    "config: { 'a:secrets': { members: arn }, 'a:hidden': { secure: v1abc }, 'a:port': 5432 }",
  );
  expect(stackConfig(folder, "a", "dev")).toEqual({
    "a:days": "30",
    "a:secrets": '{"members":"arn"}',
    "a:hidden": "[secret]",
    "a:port": "5432",
  });
});
