import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** A proxy that delays the traffic to a server. */
export interface DelayProxy {
  port: number;
  stop(): Promise<void>;
}

/** The target of the proxy, and its delay. */
export interface DelayProxyOptions {
  host: string;
  port: number;
  /** Milliseconds of delay in each direction; may be a fraction. */
  milliseconds: number;
}

/**
 * Starts a TCP proxy on 127.0.0.1 that forwards every chunk after a delay, in both directions and in order.
 * It polls the clock, which is more precise than timers, and runs in a separate thread so that polling does
 * not delay the measured work.
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
    // All chunks wait equally long, so they leave in order of arrival.
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

// This file is also the thread's program, with the data that `startDelayProxy` passes.
if (!isMainThread && parentPort) serve(workerData as DelayProxyOptions);
