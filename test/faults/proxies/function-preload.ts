/**
 * Loaded into every function's process before its own code (NODE_OPTIONS=--require): lets the proxies tell which function, in which
 * process, a call comes from, leads every AWS call through the proxy, and sets its clock wrong by an amount of its own.
 */
import { createHash } from "node:crypto";
import http, { type ClientRequest, type RequestOptions } from "node:http";

/** As the SDK calls it, first of all. */
type Request = (options: RequestOptions, ...more: unknown[]) => ClientRequest;

/** Furthest a function's clock is off, either way. SigV4 allows five minutes. */
const MAX_SKEW_SECONDS = 90;

const functionName = process.env["AWS_LAMBDA_FUNCTION_NAME"];
if (functionName) {
  const caller = `${process.pid}.${functionName}`;
  process.env["AWS_SDK_UA_APP_ID"] = caller;
  process.env["PGAPPNAME"] = caller;
  leadThroughProxy(process.env["GATEWAY_PORT"], process.env["AWS_ENDPOINT_URL"]);
  setClock(skewOf(`${process.env["FAULT_SEED"] ?? ""}/${functionName}`));
}

/** A queue is called at its URL, whatever AWS_ENDPOINT_URL says, and that leads to the emulator itself, of whose port the URL tells. */
function leadThroughProxy(emulatorPort: string | undefined, proxyUrl: string | undefined): void {
  if (!emulatorPort || !proxyUrl) return;
  const { hostname, port } = new URL(proxyUrl);
  const request = http.request as Request;
  const led: Request = (options, ...more) => {
    const isToEmulator = typeof options === "object" && String(options.port) === emulatorPort;
    return request(isToEmulator ? { ...options, host: hostname, hostname, port } : options, ...more);
  };
  http.request = led as typeof http.request;
}

function skewOf(name: string): number {
  const share = createHash("sha256").update(name).digest().readInt32BE() / 2 ** 31;
  return Math.round(share * MAX_SKEW_SECONDS * 1_000);
}

function setClock(offset: number): void {
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: []) =>
      args.length > 0 ? Reflect.construct(target, args) : new RealDate(RealDate.now() + offset),
    get: (target, name): unknown =>
      name === "now" ? () => RealDate.now() + offset : Reflect.get(target, name),
  });
}
