import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterAll } from "vitest";

/**
 * When a connection breaks after the client has sent something:
 *
 * - "before": nothing arrives;
 * - "at-work": it arrives, and the server continues without noticing that the client is gone;
 * - "after": the server is done, and its answer is lost.
 */
export type Break = "before" | "at-work" | "after";

/** A proxy that breaks connections where a test says so. */
export interface BreakingProxy {
  host: string;
  port: number;
  /**
   * Breaks the connection of the next client message that contains the text. Several calls apply one after
   * the other.
   *
   * @param andRefuse whether new connections are refused from then on. @default false
   */
  breakAt(text: string, when: Break, andRefuse?: boolean): void;
  /** Refuses new connections. */
  refuse(): void;
  /** Accepts new connections again. */
  restore(): void;
  /** Number of connections that `breakAt` has broken. */
  broken(): number;
}

/** Starts a TCP proxy on 127.0.0.1; stopped after the test file. Call it outside of tests or in a hook. */
export async function breakingProxy(upstream: { host: string; port: number }): Promise<BreakingProxy> {
  const faults: { text: string; when: Break; andRefuse: boolean }[] = [];
  const open = new Set<Socket>();
  let isRefusing = false;
  let broken = 0;
  const server = createServer((client) => {
    if (isRefusing) return void client.destroy();
    const target = connect(upstream.port, upstream.host);
    for (const socket of [client, target]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => open.delete(socket));
    }
    // After the break, the data of the server is dropped, and then its side is closed too.
    let isBroken = false;
    client.on("data", (chunk) => {
      const fault = faults[0];
      if (!fault || !chunk.includes(fault.text)) return void target.write(chunk);
      faults.shift();
      broken += 1;
      isBroken = true;
      isRefusing ||= fault.andRefuse;
      if (fault.when !== "before") target.write(chunk);
      if (fault.when !== "after") client.destroy();
      if (fault.when === "before") target.destroy();
    });
    target.on("data", (chunk) => {
      if (!isBroken) return void client.write(chunk);
      client.destroy();
      target.destroy();
    });
    client.on("end", () => target.end());
    target.on("end", () => client.end());
    client.on("close", () => !isBroken && target.destroy());
    target.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    open.forEach((socket) => socket.destroy());
    server.close();
  });
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    breakAt: (text, when, andRefuse = false) => void faults.push({ text, when, andRefuse }),
    refuse() {
      isRefusing = true;
    },
    restore() {
      isRefusing = false;
    },
    broken: () => broken,
  };
}
