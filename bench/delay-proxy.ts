import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** A proxy that makes the way to a server longer. */
export interface DelayProxy {
  port: number;
  stop(): Promise<void>;
}

/** Where the proxy leads, and how long each direction takes. */
export interface DelayProxyOptions {
  host: string;
  port: number;
  /** Milliseconds of delay each way; fractions count. */
  milliseconds: number;
}

/**
 * Starts a TCP proxy on 127.0.0.1 that hands on every chunk after a delay, in both directions and in order. It runs in a thread of
 * its own: it waits more exactly than timers do, by looking at the clock, and the work that is measured must not wait for it.
 */
export async function startDelayProxy(options: DelayProxyOptions): Promise<DelayProxy> {
  const worker = new Worker(__filename, { workerData: options });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return {
    port,
    async stop() {
      await worker.terminate();
    },
  };
}

interface Waiting {
  due: number;
  deliver(): void;
}

function serve({ host, port, milliseconds }: DelayProxyOptions): void {
  const waiting: Waiting[] = [];
  let looking = false;
  const look = () => {
    const now = performance.now();
    // Every chunk waits equally long, so the first in is the first out.
    while (waiting[0] && waiting[0].due <= now) waiting.shift()?.deliver();
    looking = waiting.length > 0;
    if (looking) setImmediate(look);
  };
  const later = (deliver: () => void) => {
    waiting.push({ due: performance.now() + milliseconds, deliver });
    if (looking) return;
    looking = true;
    setImmediate(look);
  };
  const join = (from: Socket, to: Socket) => {
    from.setNoDelay(true);
    from.on("data", (chunk) => later(() => to.write(chunk)));
    from.on("end", () => later(() => to.end()));
    from.on("error", () => to.destroy());
  };
  const server = createServer((client) => {
    const upstream = connect(port, host);
    join(client, upstream);
    join(upstream, client);
  });
  server.listen(0, "127.0.0.1", () => parentPort?.postMessage((server.address() as AddressInfo).port));
}

// The same file is the thread's program; what it was started with is this file's own.
if (!isMainThread && parentPort) serve(workerData as DelayProxyOptions);
