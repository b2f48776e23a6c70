import type { PoolVariable } from "../../runtime/postgres/pool";
import type { Access } from "../function/access";
import type { Network } from "./network";

/** The monolith's PostgreSQL database, which exists already. */
export interface MonolithDatabase {
  /** Host of the writer. */
  host: string;
  port: number;
  name: string;
  tls: "verify-full" | "disable";
  /** Module -> secret {"username","password"} of a login in the module's role. */
  moduleSecretArns: Readonly<Record<string, string>>;
  /** Secret {"username","password","host","port"} of a login in the role monolith_capture. */
  captureSecretArn: string;
  /** Secret {"username","password"} of a login in the role monolith_retention. */
  retentionSecretArn: string;
  /**
   * Position in the log from which the slot `<name>_outbox` has the changes, e.g. "2/7C007178". DMS refuses a task that
   * names a slot without one, and uses it when the task starts for the first time. `npm run migrate` prints it.
   */
  captureStartPosition: string;
  /** Its private network, to which AWS DMS and the functions that use it are attached. @default none */
  network?: Network | undefined;
}

/**
 * Where Lambda keeps the certificates of Amazon's databases, which Node.js does not trust by default since version
 * 20.
 */
const DATABASE_CERTIFICATES = "/var/runtime/ca-cert.pem";

/**
 * Allows a function to open the database.
 *
 * @param secretArn secret of the login that the function uses
 */
export function useDatabase(database: MonolithDatabase, secretArn: string): Access<PoolVariable> {
  return {
    environment: {
      DATABASE_HOST: database.host,
      DATABASE_PORT: String(database.port),
      DATABASE_NAME: database.name,
      DATABASE_TLS: database.tls,
      DATABASE_SECRET_ARN: secretArn,
      ...(database.tls === "disable" ? {} : { NODE_EXTRA_CA_CERTS: DATABASE_CERTIFICATES }),
    },
    statements: [
      {
        Sid: "ReadDatabaseSecret",
        Action: ["secretsmanager:GetSecretValue"],
        Resource: secretArn,
      },
    ],
    network: database.network,
  };
}
