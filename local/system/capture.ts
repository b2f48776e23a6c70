import { setTimeout as delay } from "node:timers/promises";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { STSClient } from "@aws-sdk/client-sts";
import { type Capture, type CapturedRecord, type DatabaseSecret, startCapture } from "../capture/capture";
import { roleCredentials } from "../event-sources/emulator-connection";
import type { Journal } from "../journey/journey";
import { capturedHeader } from "../journey/record";
import type { Deployment } from "../provision/deployment";
import type { Report } from "../servers/report";
import type { Servers } from "../servers/start-servers";
import type { FaultHooks } from "./fault-hooks";

/** The stand-in for DMS, configured by the program's DMS resources. */
export interface LocalCapture {
  /** Whether everything that was committed before the call is on the stream. */
  isIdle(): Promise<boolean>;
  /** Number of records put on the stream. */
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

/** Used when there are no modules. */
const NOTHING_TO_CAPTURE: LocalCapture = {
  isIdle: () => Promise.resolve(true),
  records: () => 0,
  newest: () => undefined,
  failed: new Promise(() => undefined),
  stop: () => Promise.resolve(),
};

/**
 * Starts the stand-in for DMS. It reads the secret and writes to the stream with the roles that the program
 * declares for DMS.
 */
export async function startLocalCapture(options: {
  servers: Servers;
  deployment: Deployment;
  journal: Journal;
  report: Report;
  /** With faults, a failed capture is restarted, as an operator would restart the task. */
  faults?: FaultHooks | undefined;
}): Promise<LocalCapture> {
  const { servers, deployment, journal, report, faults } = options;
  if (deployment.byType(TASK_TYPE).length === 0) return NOTHING_TO_CAPTURE;
  const { endpoint, region, credentials } = servers.emulator;
  const sts = new STSClient({ endpoint, region, credentials });
  let newest: CapturedRecord | undefined;
  let records = 0;
  const start = (): Promise<Capture> =>
    startCapture({
      source: deployment.resource(ENDPOINT_TYPE, "monolith-source").inputs,
      target: deployment.resource(ENDPOINT_TYPE, "monolith-target").inputs,
      task: deployment.resource(TASK_TYPE, "monolith-task").inputs,
      async resolveSecret(secretArn, roleArn) {
        const asRole = roleCredentials(sts, roleArn, SESSION);
        const secrets = new SecretsManagerClient({ endpoint, region, credentials: asRole });
        const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }));
        secrets.destroy();
        return JSON.parse(SecretString ?? "{}") as DatabaseSecret;
      },
      kinesisAs: (roleArn) => ({ endpoint, region, credentials: roleCredentials(sts, roleArn, SESSION) }),
      onRecord(record) {
        records += 1;
        const header = capturedHeader(record);
        if (!header) return;
        newest = record;
        journal.captured(header, record.putAt);
      },
      report,
      beforePut: faults && (() => faults.beforePut()),
      beforeAcknowledge: faults && (() => faults.beforeAcknowledge()),
    });
  let capture: Capture | undefined = await start();
  let stopped = false;
  let reportStopped = (): void => undefined;
  const whenStopped = new Promise<void>((resolve) => (reportStopped = resolve));
  const failed = faults ? new Promise<Error>(() => undefined) : capture.failed;
  const following = faults ? follow() : undefined;
  return {
    isIdle: async () => (await capture?.isCaughtUp()) ?? false,
    records: () => records,
    newest: () => newest,
    failed,
    async stop() {
      stopped = true;
      reportStopped();
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
      // The database or the emulator may be unavailable too; the next attempt follows soon.
      capture = await start().catch(() => undefined);
      if (!capture) await delay(RESTART_PAUSE_MILLISECONDS);
    }
  }
}
