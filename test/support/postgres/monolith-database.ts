import { REQUIRED_CONFIG } from "../program/stack-config";

const { applicationSecretArn, captureSecretArn, retentionSecretArn, captureStartPosition } = REQUIRED_CONFIG;

/** The arguments of components for the monolith's database. */
export const DATABASE = {
  host: "db.example.internal",
  port: 5432,
  name: "library",
  tls: "verify-full" as const,
  applicationSecretArn,
  captureSecretArn,
  retentionSecretArn,
  captureStartPosition,
};
