import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { LOOPBACK } from "../../../local/servers/run/own-server";
import { type Caller, callerIn, killCaller } from "./caller";

/** An AWS call of a function. */
export interface AwsCall {
  caller: Caller;
  /**
   * E.g. "DynamoDB_20120810.TransactWriteItems"; empty for services that are not called by a target header.
   */
  target: string;
  body: Buffer;
}

/** A fault of a call; without one it is passed on. */
export type CallFault =
  | { do: "refuse"; status: number; code: string }
  | { do: "cut" }
  | { do: "lose answer" }
  | { do: "delay"; milliseconds: number }
  | { do: "kill before" }
  | { do: "kill after" }
  /** The proxy answers instead of the service. */
  | { do: "answer"; body: string };

/** A proxy between the functions and the AWS emulator. */
export interface AwsProxy {
  /** The endpoint for functions, e.g. "http://127.0.0.1:40001". */
  endpoint: string;
  stop(): Promise<void>;
}

/** The proxy's target and decisions. */
export interface AwsProxyOptions {
  /** The emulator's address; called for every request, because the proxy starts first. */
  target: () => { host: string; port: number };
  /** Decides about each call of a function; other calls are passed on. */
  decide: (call: AwsCall) => Promise<CallFault | undefined>;
}

interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

/**
 * Starts the proxy. It passes requests on unchanged, so that their signatures stay valid and IAM is enforced.
 */
export async function startAwsProxy({ target, decide }: AwsProxyOptions): Promise<AwsProxy> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await bodyOf(incoming);
    const caller = callerIn(incoming.headers["user-agent"]);
    const targetHeader = incoming.headers["x-amz-target"];
    const fault =
      caller &&
      (await decide({ caller, target: typeof targetHeader === "string" ? targetHeader : "", body }));
    if (fault?.do === "delay") await delay(fault.milliseconds);
    if (fault?.do === "kill before" && caller) killCaller(caller);
    if (fault?.do === "kill before" || fault?.do === "cut") return void outgoing.destroy();
    if (fault?.do === "refuse") return reply(outgoing, refusal(fault));
    if (fault?.do === "answer") return reply(outgoing, answerOf(200, fault.body));
    const answer = await passOn(incoming, body, { ...target(), agent });
    if (fault?.do === "kill after" && caller) killCaller(caller);
    if (fault?.do === "kill after" || fault?.do === "lose answer") return void outgoing.destroy();
    reply(outgoing, answer);
  };
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  return {
    endpoint: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function passOn(
  incoming: IncomingMessage,
  body: Buffer,
  to: { host: string; port: number; agent: Agent },
): Promise<Answer> {
  const { method, url, headers } = incoming;
  const outgoing = request({ ...to, method, path: url, headers });
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 502, headers: response.headers, body: await bodyOf(response) };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function refusal({ status, code }: { status: number; code: string }): Answer {
  return { ...answerOf(status, JSON.stringify({ __type: code, message: "A fault was injected." })) };
}

function answerOf(status: number, text: string): Answer {
  const headers = { "content-type": "application/x-amz-json-1.1" };
  return { status, headers, body: Buffer.from(text) };
}

function reply(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  const { "transfer-encoding": _chunked, connection: _connection, ...kept } = headers;
  outgoing.writeHead(status, { ...kept, "content-length": body.length });
  outgoing.end(body);
}
