import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflateRaw } from "node:zlib";
import * as pulumi from "@pulumi/pulumi";
import { Zip, ZipPassThrough } from "fflate";
import { codedError } from "../../runtime/function/coded-error";
import { signedObject, type WireValue } from "./property-values";

const { specialArchiveSig: ARCHIVE, specialAssetSig: ASSET } = pulumi.runtime;

/** A fixed time, in the local zone since that is what a zip holds: the same files make the same bytes anywhere. */
const MODIFIED_AT = new Date(2000, 0, 1);
const DEFLATED = 8;

const deflate = promisify(deflateRaw);

/** Makes deployment packages; files that were packed before are not packed again. */
export type PackageZipper = (code: WireValue) => Promise<Uint8Array>;

/**
 * A zipper with a memory, for one run of the program: functions that do the same share one package.
 *
 * It takes an AssetArchive of texts, files and archives, or a FileArchive (a folder or a zip).
 *
 * @throws `PACKAGE_UNREADABLE`
 */
export function packageZipper(): PackageZipper {
  const packed = new Map<string, Promise<Uint8Array>>();
  return async (code) => {
    const archive = signedObject(code, ARCHIVE);
    if (!archive) throw unreadable("the function declares no archive as its code");
    if (typeof archive["path"] === "string" && isFile(archive["path"])) return readFileSync(archive["path"]);
    const files = filesOf(archive, "");
    const key = contentKey(files);
    const zip = packed.get(key) ?? zipOf(files);
    packed.set(key, zip);
    return await zip;
  };
}

/** The hash of a package as Lambda gives it. */
export function packageHash(zip: Uint8Array): string {
  return createHash("sha256").update(zip).digest("base64");
}

/** Deflates on Node's thread pool, beside the bundling of other functions; fflate writes the zip around it. */
async function zipOf(files: Record<string, Uint8Array>): Promise<Uint8Array> {
  const deflated = await Promise.all(
    Object.entries(files).map(async ([name, content]) => ({ name, content, body: await deflate(content) })),
  );
  const chunks: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    chunks.push(chunk);
  });
  for (const { name, content, body } of deflated) {
    const file = new ZipPassThrough(name);
    file.compression = DEFLATED;
    file.mtime = MODIFIED_AT;
    zip.add(file);
    const ondata = file.ondata;
    // fflate has taken size and checksum from the content when it hands it on.
    file.ondata = (error, _content, final) => ondata(error, body, final);
    file.push(content, true);
  }
  zip.end();
  return Buffer.concat(chunks);
}

function filesOf(archive: Record<string, WireValue>, prefix: string): Record<string, Uint8Array> {
  if (typeof archive["path"] === "string") return filesUnder(archive["path"], prefix);
  // The Pulumi runtime has awaited the assets by now: they travel as plain members.
  const assets = archive["assets"];
  if (typeof assets !== "object" || assets === null)
    throw unreadable("an archive has to be made of assets or of a local path");
  const files: Record<string, Uint8Array> = {};
  for (const [name, value] of Object.entries(assets)) {
    const path = prefix + name;
    const nested = signedObject(value, ARCHIVE);
    if (nested) Object.assign(files, filesOf(nested, `${path}/`));
    else files[path] = contentOf(signedObject(value, ASSET), path);
  }
  return files;
}

function contentOf(asset: Record<string, WireValue> | undefined, path: string): Uint8Array {
  if (typeof asset?.["text"] === "string") return new TextEncoder().encode(asset["text"]);
  if (typeof asset?.["path"] === "string")
    return reading(asset["path"], () => readFileSync(String(asset["path"])));
  throw unreadable(`"${path}" is neither text nor a local file`);
}

function filesUnder(folder: string, prefix: string): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  const entries = reading(folder, () => readdirSync(folder, { withFileTypes: true, recursive: true }));
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[prefix + path.slice(folder.length).replaceAll("\\", "/").replace(/^\/+/, "")] = readFileSync(path);
  }
  return files;
}

function contentKey(files: Record<string, Uint8Array>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(files).sort()) {
    hash.update(`${name}\n${files[name]?.length}\n`).update(files[name] ?? "");
  }
  return hash.digest("hex");
}

function isFile(path: string): boolean {
  return reading(path, () => statSync(path)).isFile();
}

function reading<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw unreadable(`"${path}" cannot be read`, cause);
  }
}

function unreadable(what: string, cause?: unknown): Error {
  return codedError("PACKAGE_UNREADABLE", `The deployment package cannot be made: ${what}.`, { cause });
}
