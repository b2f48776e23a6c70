import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

/** A request that a handler sent to AWS. */
export interface AwsRequest {
  /** E.g. "PutItem". */
  operation: string;
  body: Record<string, unknown>;
}

/** A stand-in for AWS that answers from this process. */
export interface AwsStub {
  /** The environment variables with which a function in another process finds the stub. */
  environment: Record<string, string>;
  /** The requests since the last call. */
  taken(): AwsRequest[];
  /**
   * How requests are answered from now on; an `Error`'s name is the error code. @default everything succeeds
   * with `{}`
   */
  answer(by: (request: AwsRequest) => object | Error): void;
}

/**
 * Starts a stub of AWS's JSON protocols on a free port; closed when the test file has ended. Call it outside
 * of tests.
 */
export async function awsStub(): Promise<AwsStub> {
  let requests: AwsRequest[] = [];
  let answerBy: (request: AwsRequest) => object | Error = () => ({});
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const target = String(incoming.headers["x-amz-target"] ?? incoming.url);
    const request = {
      operation: target.split(".").at(-1) ?? "",
      body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>,
    };
    requests.push(request);
    const answer = answerBy(request);
    const failed = answer instanceof Error;
    response.writeHead(failed ? 400 : 200, { "content-type": String(incoming.headers["content-type"]) });
    response.end(JSON.stringify(failed ? { __type: answer.name, message: answer.message } : answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    environment: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_MAX_ATTEMPTS: "1",
    },
    taken() {
      const taken = requests;
      requests = [];
      return taken;
    },
    answer(by) {
      answerBy = by;
    },
  };
}

/** An error as AWS answers it. */
export function awsError(code: string): Error {
  return Object.assign(new Error(code), { name: code });
}

/** Accepts every event and every message; anything else succeeds with `{}`. */
export function acceptsAll({ operation, body }: AwsRequest): object {
  if (operation === "SendMessage") {
    // The client compares it with what it sent.
    const MD5OfMessageBody = createHash("md5").update(String(body.MessageBody)).digest("hex");
    return { MessageId: "message", MD5OfMessageBody };
  }
  if (operation !== "PutEvents") return {};
  return { FailedEntryCount: 0, Entries: (body.Entries as object[]).map(() => ({ EventId: "event" })) };
}
