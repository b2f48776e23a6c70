import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(__dirname, "..", "..");
const OWN = join(ROOT, ".domains");
// What is mounted on must be there, and what is copied onto the disk.
mkdirSync(join(OWN, "cache"), { recursive: true });

/** Runs a script in which nobody else sees the disks that it mounts. */
function withOwnMounts(script: string, arguments_: readonly string[] = []) {
  const options = process.getuid?.() === 0 ? ["--mount"] : ["--mount", "--map-root-user"];
  const { status, stderr } = spawnSync("unshare", [...options, "sh", "-c", script, "sh", ...arguments_], {
    cwd: ROOT,
    encoding: "utf8",
  });
  return { status, stderr };
}

/** Whether this machine lets a process mount a disk for itself: Linux as root, or with user namespaces. */
const canMount = withOwnMounts('mount -t tmpfs tmpfs "$1"', [OWN]).status === 0;

const START = `exec "${process.execPath}" dist/local/main.js --once`;
/** Puts the folder with its cache on a disk of its own, fills that after some seconds, and starts the system. */
const FILLED = `
  mount -t tmpfs -o size=400m tmpfs /mnt && cp -r "$1/cache" /mnt/cache &&
  mount -t tmpfs -o size=400m tmpfs "$1" && mv /mnt/cache "$1/cache" && umount /mnt
  (sleep 8; head -c 400M /dev/zero > "$1/filler" 2>/dev/null) &
  ${START}`;

describe.runIf(canMount)(
  "On a disk of its own (which only Linux mounts, with the right to do so), npm start",
  () => {
    test.each([
      [
        "that is too small",
        'mount -t tmpfs -o size=2m tmpfs "$1"',
        /^DISK_FULL: ".*\.domains" has \d MB left, and a run needs about \d+ MB\. Free/m,
      ],
      [
        "that cannot be written",
        'mount -t tmpfs -o ro,size=900m tmpfs "$1"',
        /^(DISK|RUN_FOLDER)_NOT_WRITABLE: /m,
      ],
      [
        "for temporary files that cannot be written",
        "mount -t tmpfs -o ro,size=900m tmpfs /mnt && export TMPDIR=/mnt",
        /^DISK_NOT_WRITABLE: Writing "\/mnt\//m,
      ],
      [
        "for temporary files that is too small",
        "mount -t tmpfs -o size=9m tmpfs /mnt && export TMPDIR=/mnt",
        /^DISK_FULL: "\/mnt" has \d MB left/m,
      ],
    ])("%s ends with a code and a remedy, and leaves nothing running", (_, mount, said) => {
      const { status, stderr } = withOwnMounts(`${mount} && ${START}`, [OWN]);
      expect(stderr).toMatch(said);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(status).toBe(1);
      expect(running()).toEqual([]);
    });

    test("that fills up while it runs ends with a code and a remedy, and leaves nothing running", () => {
      const { status, stderr } = withOwnMounts(FILLED, [OWN]);
      expect(stderr).toMatch(/^DISK_FULL: /m);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(status).toBe(1);
      expect(running()).toEqual([]);
    });
  },
);

/** The servers that belong to a run of this folder which has ended. */
function running(): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" });
  const alive = existsSync(join(OWN, "runs")) ? readdirSync(join(OWN, "runs")) : [];
  const own = stdout
    .split("\n")
    .filter((line) => line.includes(ROOT) && /guardian\.js|ministack|postgres -D/.test(line));
  return own.filter((line) => !alive.some((run) => line.includes(run)));
}
