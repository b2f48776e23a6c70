import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
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

type PackedFile = [name: string, content: Buffer<ArrayBuffer>];

const deflate = promisify(deflateRaw);

/** Makes a deployment package of an AssetArchive of texts and files. */
export type PackageZipper = (code: WireValue) => Promise<Uint8Array>;

/**
 * A zipper for one run of the program: functions that do the same share one package, which is packed once.
 *
 * @throws `PACKAGE_UNREADABLE`
 */
export function packageZipper(): PackageZipper {
  const packed = new Map<string, Promise<Uint8Array>>();
  return async (code) => {
    const files = await filesOf(code);
    const hash = createHash("sha256");
    for (const [name, content] of files) hash.update(`${name}\n${content.length}\n`).update(content);
    const key = hash.digest("hex");
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
async function zipOf(files: PackedFile[]): Promise<Uint8Array> {
  const bodies = await Promise.all(files.map(([, content]) => deflate(content)));
  const chunks: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    chunks.push(chunk);
  });
  for (const [index, [name, content]] of files.entries()) {
    const file = new ZipPassThrough(name);
    file.compression = DEFLATED;
    file.mtime = MODIFIED_AT;
    zip.add(file);
    const ondata = file.ondata;
    // fflate has taken size and checksum from the content when it hands it on.
    file.ondata = (error, _content, final) => ondata(error, bodies[index] ?? content, final);
    file.push(content, true);
  }
  zip.end();
  return Buffer.concat(chunks);
}

/** Name and content of each file, in the order of their names. */
async function filesOf(code: WireValue): Promise<PackedFile[]> {
  // The Pulumi runtime has awaited the assets by now: they travel as plain members.
  const assets = signedObject(code, ARCHIVE)?.["assets"];
  if (typeof assets !== "object" || assets === null)
    throw unreadable("the function's code must be an AssetArchive");
  const entries = Object.entries(assets).sort(([one], [other]) => (one < other ? -1 : 1));
  return Promise.all(
    entries.map(async ([name, asset]): Promise<PackedFile> => [
      name,
      await contentOf(signedObject(asset, ASSET), name),
    ]),
  );
}

async function contentOf(
  asset: Record<string, WireValue> | undefined,
  name: string,
): Promise<Buffer<ArrayBuffer>> {
  const { text, path } = asset ?? {};
  if (typeof text === "string") return Buffer.from(text);
  if (typeof path !== "string") throw unreadable(`"${name}" is neither text nor a local file`);
  return readFile(path).catch((cause: unknown) => {
    throw unreadable(`"${path}" cannot be read`, cause);
  });
}

function unreadable(what: string, cause?: unknown): Error {
  return codedError("PACKAGE_UNREADABLE", `The deployment package cannot be made: ${what}.`, { cause });
}
