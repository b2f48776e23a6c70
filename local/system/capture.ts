import { setTimeout as delay } from "node:timers/promises";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { STSClient } from "@aws-sdk/client-sts";
import { type Capture, type CapturedRecord, startCapture } from "../capture/capture";
import type {
  DatabaseSecret,
  ReplicationTaskInputs,
  SourceEndpointInputs,
  TargetEndpointInputs,
} from "../capture/dms-inputs";
import { roleCredentials } from "../event-sources/emulator-connection";
import type { Journal } from "../journey/journey";
import { capturedHeader } from "../journey/record";
import type { Deployment } from "../provision/deployment";
import type { Report } from "../servers/report";
import type { Servers } from "../servers/start-servers";
import type { FaultHooks } from "./fault-hooks";

/** The stand-in for DMS, as the program's DMS resources configure it. */
export interface LocalCapture {
  /** Whether everything that was committed before the call is on the stream. */
  isIdle(): Promise<boolean>;
  /** Records put on the stream. */
  records(): number;
  /** The newest record put on the stream. */
  newest(): CapturedRecord | undefined;
  /** Resolves with the cause if the task fails; otherwise stays pending. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

const ENDPOINT_TYPE = "aws:dms/endpoint:Endpoint";
const TASK_TYPE = "aws:dms/replicationTask:ReplicationTask";
const SESSION = "dms";
const RESTART_PAUSE_MILLISECONDS = 200;

/** Starts the stand-in for DMS. It reads the secret and writes the stream with the roles that are declared for DMS. */
export async function startLocalCapture(options: {
  servers: Servers;
  deployment: Deployment;
  journal: Journal;
  report: Report;
  /** With faults, a capture that ends is followed by another one, as an operator would have it. */
  faults?: FaultHooks | undefined;
}): Promise<LocalCapture> {
  const { servers, deployment, journal, report, faults } = options;
  const { endpoint, region, credentials } = servers.emulator;
  const sts = new STSClient({ endpoint, region, credentials });
  // The provisioner resolved the declared inputs; startCapture checks them.
  const inputs = <T>(type: string, name: string) => deployment.resource(type, name).inputs as unknown as T;
  const target = inputs<TargetEndpointInputs>(ENDPOINT_TYPE, "monolith-target");
  const writerRole = target.kinesisSettings?.serviceAccessRoleArn ?? "";
  let newest: CapturedRecord | undefined;
  let records = 0;
  const start = async (): Promise<Capture> => {
    const started = await startCapture({
      source: inputs<SourceEndpointInputs>(ENDPOINT_TYPE, "monolith-source"),
      target,
      task: inputs<ReplicationTaskInputs>(TASK_TYPE, "monolith-task"),
      async resolveSecret(secretArn, roleArn) {
        const asRole = roleCredentials(sts, roleArn, SESSION);
        const secrets = new SecretsManagerClient({ endpoint, region, credentials: asRole });
        const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }));
        secrets.destroy();
        return JSON.parse(SecretString ?? "{}") as DatabaseSecret;
      },
      kinesis: { endpoint, region, credentials: roleCredentials(sts, writerRole, SESSION) },
      report,
      ...(faults && {
        beforePut: () => faults.beforePut(),
        beforeAcknowledge: () => faults.beforeAcknowledge(),
      }),
    });
    started.onRecord((record) => {
      records += 1;
      const header = capturedHeader(record);
      if (!header) return;
      newest = record;
      journal.captured(header, record.putAt);
    });
    return started;
  };
  let capture: Capture | undefined = await start();
  let stopped = false;
  let tellStopped = (): void => undefined;
  const whenStopped = new Promise<void>((resolve) => (tellStopped = resolve));
  const failed = faults ? new Promise<Error>(() => undefined) : capture.failed;
  const following = faults ? follow() : undefined;
  return {
    isIdle: async () => (await capture?.isCaughtUp()) ?? false,
    records: () => records,
    newest: () => newest,
    failed,
    async stop() {
      stopped = true;
      tellStopped();
      await capture?.stop();
      await following;
      sts.destroy();
    },
  };

  async function follow(): Promise<void> {
    while (!stopped) {
      if (capture) await Promise.race([capture.failed, whenStopped]);
      if (stopped) return;
      await capture?.stop();
      capture = undefined;
      // The database or the emulator may be away themselves: then the next try comes soon.
      capture = await start().catch(() => undefined);
      if (!capture) await delay(RESTART_PAUSE_MILLISECONDS);
    }
  }
}
