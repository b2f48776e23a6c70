import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import type { EmulatorClients } from "../provision/emulator-clients";
import type { LocalDatabase } from "./database";

/** ARNs of the secrets that the program is configured with. */
export interface SecretArns {
  application: string;
  capture: string;
  retention: string;
}

/** Puts the database's logins where the program expects them: in Secrets Manager, as an operator would on AWS. */
export async function storeSecrets(
  { secrets }: Pick<EmulatorClients, "secrets">,
  database: LocalDatabase,
): Promise<SecretArns> {
  const { host, port, name: dbname } = database;
  const store = async (name: string, secret: object) => {
    const created = await secrets.send(
      new CreateSecretCommand({ Name: `${dbname}/${name}`, SecretString: JSON.stringify(secret) }),
    );
    return created.ARN ?? "";
  };
  const [application, capture, retention] = await Promise.all([
    store("application", database.application),
    store("capture", { ...database.capture, host, port, dbname }),
    store("retention", database.retention),
  ]);
  return { application, capture, retention };
}
