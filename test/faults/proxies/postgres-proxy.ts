import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { LOOPBACK } from "../../../local/servers/run/own-server";
import { type Caller, callerIn, killCaller } from "./caller";
import { frameReader, statementTexts } from "./postgres-messages";

/** A fault of a statement; without one it is passed on. */
export type StatementFault =
  | { do: "cut" }
  | { do: "cut in flight" }
  | { do: "lose answer" }
  | { do: "delay"; milliseconds: number }
  /** Runs SQL in the session before the statement, unless a transaction is open. */
  | { do: "spoil"; sql: string }
  /** Asks the server to cancel what it then runs for the client, if anything. */
  | { do: "cancel"; afterMilliseconds: number }
  | { do: "kill before" }
  | { do: "kill after" };

/** A proxy between the functions and PostgreSQL. */
export interface PostgresProxy {
  port: number;
  stop(): Promise<void>;
}

/** The proxy's target and decisions. */
export interface PostgresProxyOptions {
  host: string;
  port: number;
  /**
   * Decides about each statement of a function: everything between two "ready for query" answers; `text` is
   * its SQL.
   */
  decide: (caller: Caller, text: string) => Promise<StatementFault | undefined>;
}

/** Messages that end a request, so that the server answers "ready for query": a simple query and Sync. */
const ENDS_REQUEST = ["Q", "S"];
const READY_FOR_QUERY = "Z";
const BACKEND_KEY = "K";
/** Transaction status in "ready for query": idle. */
const IDLE = "I";
/** Type and length of a message, before its content. */
const HEADER_BYTES = 5;
/** Code of a request to cancel, which is sent on a connection of its own with the backend's key. */
const CANCEL = 80_877_102;

/** Starts the proxy. It passes logins on unchanged; there is no TLS on the loopback interface. */
export async function startPostgresProxy({
  host,
  port,
  decide,
}: PostgresProxyOptions): Promise<PostgresProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    join(client, upstream, decide, (key) => cancel(host, port, key));
  });
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Asks the server to cancel what a backend is running. */
function cancel(host: string, port: number, key: Buffer): void {
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + key.length);
  head.writeInt32BE(CANCEL, 4);
  const socket = connect(port, host, () => socket.end(Buffer.concat([head, key])));
  socket.on("error", () => undefined);
}

function join(
  client: Socket,
  upstream: Socket,
  decide: PostgresProxyOptions["decide"],
  cancelBackend: (key: Buffer) => void,
): void {
  const framesOfClient = frameReader({ startsWithoutType: true });
  const framesOfServer = frameReader({ startsWithoutType: false });
  const textOf = statementTexts();
  let caller: Caller | undefined;
  let isLoggedIn = false;
  let [key, status] = [Buffer.alloc(0), ""];
  /** Runs when the session was spoiled; until then the server's answers are the proxy's. */
  let spoiled: (() => void) | undefined;
  let request: Buffer[] = [];
  let text = "";
  /** Runs when the answer to the current request has arrived; until then the answer is held back. */
  let afterAnswer: (() => void) | undefined;
  // Sequentially: a delayed request must not be overtaken by the next one.
  let queue = Promise.resolve();

  client.on("data", (chunk: Buffer) => {
    for (const frame of framesOfClient(chunk)) {
      const { type, bytes } = frame;
      if (type === "") caller = callerIn(/application_name\0([^\0]*)\0/.exec(bytes.toString("latin1"))?.[1]);
      if (!isLoggedIn || !caller) {
        upstream.write(bytes);
        continue;
      }
      request.push(bytes);
      text = textOf(frame) ?? text;
      if (!ENDS_REQUEST.includes(type)) continue;
      const whole = { bytes: Buffer.concat(request), text };
      [request, text] = [[], ""];
      const from = caller;
      queue = queue.then(() => passOn(from, whole));
    }
  });
  client.on("end", () => upstream.end());
  upstream.on("end", () => client.end());
  upstream.on("data", (chunk: Buffer) => {
    let isReady = false;
    for (const { type, bytes } of framesOfServer(chunk)) {
      if (type === BACKEND_KEY) key = Buffer.from(bytes.subarray(HEADER_BYTES));
      if (type !== READY_FOR_QUERY) continue;
      isReady = true;
      status = bytes.toString("latin1", HEADER_BYTES);
    }
    if (spoiled) {
      if (isReady) spoiled();
      return;
    }
    if (!afterAnswer) client.write(chunk);
    if (isReady) {
      isLoggedIn = true;
      afterAnswer?.();
    }
  });

  async function passOn(from: Caller, whole: { bytes: Buffer; text: string }): Promise<void> {
    const fault = await decide(from, whole.text);
    if (fault?.do === "delay") await delay(fault.milliseconds);
    if (fault?.do === "kill before") killCaller(from);
    if (fault?.do === "kill before" || fault?.do === "cut") return void client.destroy();
    if (fault?.do === "kill after" || fault?.do === "lose answer") {
      afterAnswer = () => {
        if (fault.do === "kill after") killCaller(from);
        client.destroy();
      };
    }
    if (fault?.do === "spoil" && status === IDLE) await spoil(fault.sql);
    upstream.write(whole.bytes);
    if (fault?.do === "cancel") setTimeout(() => cancelBackend(key), fault.afterMilliseconds);
    if (fault?.do === "cut in flight") upstream.end(() => client.destroy());
  }

  async function spoil(sql: string): Promise<void> {
    const text = Buffer.from(`${sql}\0`);
    const head = Buffer.from("Q\0\0\0\0");
    head.writeInt32BE(4 + text.length, 1);
    await new Promise<void>((resolve) => {
      spoiled = resolve;
      upstream.once("close", resolve);
      upstream.write(Buffer.concat([head, text]));
    });
    spoiled = undefined;
  }
}
