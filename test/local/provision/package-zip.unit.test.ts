import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "@pulumi/pulumi";
import { unzipSync } from "fflate";
import { expect, it, onTestFinished } from "vitest";
import { packageHash, packageZipper } from "../../../dist/local/provision/package-zip.js";

const archive = (content: object) => ({ [runtime.specialSigKey]: runtime.specialArchiveSig, ...content });
const asset = (content: object) => ({ [runtime.specialSigKey]: runtime.specialAssetSig, ...content });
const text = (zip: Uint8Array, name: string) => new TextDecoder().decode(unzipSync(zip)[name]);

it("A package holds texts and files", async () => {
  const path = join(temporaryFolder(), "file.txt");
  writeFileSync(path, "from a file");
  const code = archive({
    assets: {
      "index.js": asset({ text: "exports.handler = 1;".repeat(1000) }),
      "lib/copy.txt": asset({ path }),
      "empty.txt": asset({ text: "" }),
    },
  });

  const zip = await packageZipper()(code);

  expect(Object.keys(unzipSync(zip)).sort()).toEqual(["empty.txt", "index.js", "lib/copy.txt"]);
  expect(text(zip, "index.js")).toBe("exports.handler = 1;".repeat(1000));
  expect(text(zip, "lib/copy.txt")).toBe("from a file");
  expect(zip.length).toBeLessThan(1000);
});

it("The same files make the same bytes, whenever they are packed", async () => {
  const code = archive({ assets: { "index.js": asset({ text: "exports.handler = () => 1;" }) } });

  const [one, other] = await Promise.all([packageZipper()(code), packageZipper()(code)]);

  expect(packageHash(one)).toBe(packageHash(other));
});

it("Functions of the same files share one package", async () => {
  const zipper = packageZipper();
  const code = () => archive({ assets: { "index.js": asset({ text: "exports.handler = () => 1;" }) } });

  expect(await zipper(code())).toBe(await zipper(code()));
});

it("What cannot be packed is refused, and named", async () => {
  const uri = asset({ uri: "https://example.com/index.js" });

  await expect(packageZipper()(archive({ assets: { "index.js": uri } }))).rejects.toThrow(
    'The deployment package cannot be made: "index.js" is neither text nor a local file.',
  );
  for (const code of [undefined, archive({ path: "/tmp" })]) {
    await expect(packageZipper()(code)).rejects.toMatchObject({
      code: "PACKAGE_UNREADABLE",
      message: "The deployment package cannot be made: the function's code must be an AssetArchive.",
    });
  }
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "package-zip-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
