/**
 * Loaded into every function's process before its code (NODE_OPTIONS=--require). Makes each call identify its
 * function and process, directs every AWS call to the proxy, and sets the function's clock wrong.
 */
import { createHash } from "node:crypto";
import http, { type ClientRequest, type RequestOptions } from "node:http";

/** `http.request`, as the SDK calls it. */
type Request = (options: RequestOptions, ...more: unknown[]) => ClientRequest;

/** Maximum clock skew of a function, in either direction. SigV4 allows five minutes. */
const MAX_SKEW_SECONDS = 90;

const functionName = process.env["AWS_LAMBDA_FUNCTION_NAME"];
if (functionName) {
  const caller = `${process.pid}.${functionName}`;
  process.env["AWS_SDK_UA_APP_ID"] = caller;
  process.env["PGAPPNAME"] = caller;
  directToProxy(process.env["GATEWAY_PORT"], process.env["AWS_ENDPOINT_URL"]);
  setClock(skewOf(`${process.env["FAULT_SEED"] ?? ""}/${functionName}`));
}

/**
 * The SDK calls a queue by its URL, whatever AWS_ENDPOINT_URL says, and the emulator puts its own port into
 * queue URLs.
 */
function directToProxy(emulatorPort: string | undefined, proxyUrl: string | undefined): void {
  if (!emulatorPort || !proxyUrl) return;
  const { hostname, port } = new URL(proxyUrl);
  const request = http.request as Request;
  const directed: Request = (options, ...more) => {
    const isToEmulator = typeof options === "object" && String(options.port) === emulatorPort;
    return request(isToEmulator ? { ...options, host: hostname, hostname, port } : options, ...more);
  };
  http.request = directed as typeof http.request;
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
