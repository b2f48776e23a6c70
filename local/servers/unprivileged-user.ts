import { execFileSync } from "node:child_process";
import { codedError } from "../../runtime/function/coded-error";

/** The user that PostgreSQL runs as where the runner is root. */
export interface UnprivilegedUser {
  name: string;
  uid: number;
  gid: number;
}

/** In order of preference. Neither is created: a run must not change the machine's users. */
const CANDIDATES = ["postgres", "nobody"];

/**
 * PostgreSQL refuses to run as root: answers the user to run it as, undefined where the runner is not root.
 *
 * @throws POSTGRES_USER_MISSING
 */
export function unprivilegedUser(): UnprivilegedUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of CANDIDATES) {
    const uid = idOf("-u", name);
    const gid = idOf("-g", name);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { name, uid, gid };
  }
  throw codedError(
    "POSTGRES_USER_MISSING",
    `PostgreSQL does not run as root, and this system has neither a user "postgres" nor "nobody" to run it as. ` +
      `Run as an ordinary user, add one (useradd --system postgres), or set DATABASE_URL to a PostgreSQL server of your own`,
  );
}

function idOf(option: string, name: string): number | undefined {
  try {
    return Number(
      execFileSync("id", [option, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim(),
    );
  } catch {
    return undefined;
  }
}
