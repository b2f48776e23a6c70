import { createServer, type AddressInfo, type Socket } from "node:net";
import { Client } from "pg";
import { afterAll } from "vitest";

/** A pooler in front of PostgreSQL. */
export interface TransactionPooler {
  host: string;
  port: number;
  /** Transactions that each server connection has run, in the order in which the connections were opened. */
  transactions(): number[];
}

/** A connection to the server, which one client has at a time. */
interface Server {
  socket: Socket;
  transactions: number;
  client: Socket | undefined;
}

const SSL_REQUEST = 80_877_103;
/** Messages that end a client's part of the conversation: simple query, sync, and what is sent while copying. */
const TERMINATE = "X";

/**
 * A pooler in transaction mode, as PgBouncer is with `pool_mode = transaction`: each transaction of a client gets
 * the server connection that was used least recently, so that what a session keeps (prepared statements,
 * settings) is not there in the next one. It speaks PostgreSQL's protocol: clients log in to it without a
 * password, it logs in to the server. Closed after the test file. Call it in a hook.
 *
 * @param options.refuses a startup parameter that it refuses, as PgBouncer does unless told to ignore it
 */
export async function transactionPooler(
  upstream: { host: string; port: number; name: string; user: string; password: string },
  options: { servers: number; refuses?: string },
): Promise<TransactionPooler> {
  const clients = await Promise.all(
    Array.from({ length: options.servers }, async () => {
      const { name: database, ...login } = upstream;
      const client = new Client({ ...login, database });
      client.on("error", () => undefined);
      await client.connect();
      return client;
    }),
  );
  const servers = clients.map((client): Server => {
    // The login is done by pg; from here on the pooler owns the socket.
    const { stream: socket } = (client as unknown as { connection: { stream: Socket } }).connection;
    socket.removeAllListeners("data");
    socket.removeAllListeners("readable");
    return { socket, transactions: 0, client: undefined };
  });
  const idle = [...servers];
  const waiting: ((server: Server) => void)[] = [];
  const open = new Set<Socket>();

  for (const server of servers) {
    const read = messages((kind, message) => {
      server.client?.write(message);
      // ReadyForQuery outside of a transaction: the next one may be another client's.
      if (kind !== "Z" || message[5] !== "I".charCodeAt(0)) return;
      server.transactions += 1;
      server.client = undefined;
      idle.push(server);
      const next = waiting.shift();
      if (next) next(idle.shift() as Server);
    });
    server.socket.on("data", read);
  }

  const listener = createServer((client) => {
    open.add(client);
    client.on("error", () => undefined);
    client.on("close", () => open.delete(client));
    let started = false;
    /** What arrived while the client waits for a server. */
    let held: Buffer[] | undefined;
    let server: Server | undefined;
    const serve = (message: Buffer) => {
      if (server?.client === client) return void server.socket.write(message);
      if (held) return void held.push(message);
      held = [message];
      const take = (taken: Server) => {
        server = taken;
        taken.client = client;
        for (const one of held ?? []) taken.socket.write(one);
        held = undefined;
      };
      const free = idle.shift();
      if (free) take(free);
      else waiting.push(take);
    };
    const read = messages((kind, message) => {
      if (kind !== TERMINATE) serve(message);
      else client.end();
    });
    client.on("data", (chunk: Buffer) => {
      if (started) return read(chunk);
      if (chunk.readInt32BE(4) === SSL_REQUEST) return void client.write("N");
      started = true;
      const parameters = chunk.toString("latin1", 8).split("\0");
      const { refuses } = options;
      if (refuses !== undefined && parameters.includes(refuses)) {
        return void client.end(refusal(`unsupported startup parameter: ${refuses}`));
      }
      client.write(WELCOME);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    open.forEach((socket) => socket.destroy());
    servers.forEach(({ socket }) => socket.destroy());
    listener.close();
  });
  const { port } = listener.address() as AddressInfo;
  return {
    host: "127.0.0.1",
    port,
    transactions: () => servers.map(({ transactions }) => transactions),
  };
}

/** Splits a stream of bytes into messages: a kind of one byte, a length, and content. */
function messages(each: (kind: string, message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= rest.readInt32BE(1) + 1) {
      const length = rest.readInt32BE(1) + 1;
      each(String.fromCharCode(rest[0] ?? 0), rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  };
}

function message(kind: string, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(kind, 0, "latin1");
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

/** AuthenticationOk, and ReadyForQuery. */
const WELCOME = Buffer.concat([message("R", Buffer.alloc(4)), message("Z", Buffer.from("I"))]);

function refusal(text: string): Buffer {
  const fields = ["SFATAL", "VFATAL", "C08P01", `M${text}`].map((field) => `${field}\0`).join("");
  return message("E", Buffer.from(`${fields}\0`));
}
