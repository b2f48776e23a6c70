import type { CodedError } from "../../../runtime/function/coded-error";
import type { Report } from "../report";
import type { RunDirectory } from "../run/run-directory";

/** The AWS emulator of a run. */
export interface Emulator {
  /** E.g. "http://127.0.0.1:40123". */
  readonly endpoint: string;
  readonly port: number;
  /** MiniStack's version; "unknown" for another emulator. */
  readonly version: string;
  /** Whether calls are evaluated against IAM policies; always true for an emulator of the run's own. */
  readonly authEnforced: boolean;
  /** Whether it is the user's emulator (`AWS_ENDPOINT_URL`), which is neither started nor stopped. */
  readonly external: boolean;
  readonly region: string;
  /** The caller that may do everything. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly pid: number | undefined;
  /**
   * Ends an emulator of the run's own and starts it again on the same port, with its state if it was started with
   * `persist`: all of it but the records of DynamoDB streams, which must be read before.
   *
   * @param onDown called between the two
   * @throws EMULATOR_NOT_OURS on the user's emulator; what starting throws
   */
  restart(onDown?: () => void): Promise<void>;
  /** Stops it and removes its state; does nothing to the user's emulator. Safe to call twice. */
  stop(): Promise<void>;
  /** Resolves with EMULATOR_DIED if it ends though nobody stopped it; otherwise stays pending. */
  readonly died: Promise<CodedError>;
}

/** How to start the emulator. */
export interface EmulatorOptions {
  run: RunDirectory;
  report: Report;
  /**
   * Whether it writes its state to the run's folder when it is stopped.
   *
   * @default false
   */
  persist?: boolean;
  /** Added to its environment, which functions inherit. */
  variables?: Readonly<Record<string, string>>;
}

/** Where all resources of a laptop run are. */
export const REGION = "us-east-1";
/** MiniStack's root caller. */
export const ROOT_CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" } as const;
