import { createServer } from "node:net";
import { codedError, errorCode } from "../../runtime/function/coded-error";

/** All servers of a run listen on the loopback interface only. */
export const LOOPBACK = "127.0.0.1";

const ATTEMPTS = 5;

/** A port of 127.0.0.1 on which nothing listens at this moment. */
export async function freePort(): Promise<number> {
  return bindOnce(0);
}

/**
 * Starts a server on a free port, or on the port that the user fixed by an environment variable. A start that fails with
 * the code PORT_TAKEN, since another process took the free port meanwhile, is tried again with another port, 5 times in all.
 *
 * @param variable names the environment variable by which the user can fix the port
 * @param server begins a sentence, e.g. "PostgreSQL"
 * @throws PORT_INVALID if the variable holds no port; PORT_TAKEN if the fixed port, or every one that was tried, is taken
 */
export async function onFreePort<T>(
  variable: string,
  server: string,
  start: (port: number) => Promise<T>,
): Promise<T> {
  const fixed = process.env[variable];
  if (fixed !== undefined && fixed !== "") return start(await fixedPort(fixed, variable, server));
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (errorCode(error) !== "PORT_TAKEN" || attempt === ATTEMPTS) throw error;
    }
  }
}

async function fixedPort(text: string, variable: string, server: string): Promise<number> {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw codedError(
      "PORT_INVALID",
      `${variable} is "${text}", which is no port. Set it to a number from 1 to 65535, or unset it`,
    );
  }
  try {
    return await bindOnce(port);
  } catch (error) {
    const reason = errorCode(error) === "EACCES" ? "is reserved by the system" : "is in use";
    throw codedError(
      "PORT_TAKEN",
      `${server} cannot listen on port "${port}", which ${variable} asks for: it ${reason}. ` +
        `Stop the process that uses it, set ${variable} to another port, or unset it to use a free one`,
      { cause: error },
    );
  }
}

function bindOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      // A TCP server's address is an object; null and strings belong to other states and kinds of server.
      const { port: bound } = server.address() as { port: number };
      server.close(() => resolve(bound));
    });
  });
}
