import { REQUIRED_CONFIG, secretArnOf } from "../program/stack-config";

const { captureSecretArn, retentionSecretArn, captureStartPosition } = REQUIRED_CONFIG;

/** The modules of tests of components. */
const MODULES = ["members", "plain", "press", "titled"];

/** The arguments of components for the monolith's database. */
export const DATABASE = {
  host: "db.example.internal",
  port: 5432,
  name: "library",
  tls: "verify-full" as const,
  moduleSecretArns: Object.fromEntries(MODULES.map((module) => [module, secretArnOf(module)])),
  captureSecretArn,
  retentionSecretArn,
  captureStartPosition,
};
