import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import ts from "typescript";
import type { Declared } from "../program/mocks";
import { flattenInputs } from "./flatten-inputs";

const PROVIDER = dirname(createRequire(import.meta.url).resolve("@pulumi/aws/package.json"));

/** An input of a resource, as the provider's types declare it. */
interface TypedInput {
  isDeprecated: boolean;
  /** The interface of a structure, e.g. "dynamodb.TableGlobalSecondaryIndex". */
  structure: string | undefined;
}
type Interfaces = Map<string, Map<string, TypedInput>>;

/** A structure's interfaces, by "<module>.<Name>". */
const STRUCTURES = interfacesIn("types/input.d.ts");
const RESOURCES = new Map<string, Interfaces>();

/**
 * The declared inputs that the provider's types mark as deprecated, or do not know.
 *
 * @returns one line per input
 */
export function deprecatedInputs({ type, name, inputs }: Declared): string[] {
  const [, path = "", resource = ""] = type.split(":");
  const file = `${path}.d.ts`;
  if (!RESOURCES.has(file)) RESOURCES.set(file, interfacesIn(file));
  const args = RESOURCES.get(file)?.get(`${resource}Args`);
  if (!args) throw new Error(`@pulumi/aws has no ${resource}Args in ${file}: adapt deprecated-inputs.ts`);
  const paths = new Set(flattenInputs(inputs, () => false).map((input) => input.path.replaceAll("[]", "")));
  return [...paths].flatMap((input) => {
    let members: Map<string, TypedInput> | undefined = args;
    for (const step of input.split(".")) {
      // A map's keys are data.
      if (members === undefined) return [];
      const member: TypedInput | undefined = members.get(step);
      if (!member) return [`${type} "${name}": the provider has no input ${input}`];
      if (member.isDeprecated) return [`${type} "${name}": ${input} is deprecated at "${step}"`];
      members = member.structure === undefined ? undefined : STRUCTURES.get(member.structure);
    }
    return [];
  });
}

/** The interfaces of a file; those in a namespace are named with it. */
function interfacesIn(file: string): Interfaces {
  const found: Interfaces = new Map();
  const visit = (node: ts.Node, namespace: string): void => {
    if (ts.isModuleDeclaration(node) && node.body)
      node.body.forEachChild((child) => visit(child, `${namespace}${node.name.text}.`));
    else if (ts.isInterfaceDeclaration(node))
      found.set(`${namespace}${node.name.text}`, new Map(node.members.flatMap(typedInput)));
  };
  const text = readFileSync(join(PROVIDER, file), "utf8");
  ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true).forEachChild((node) => visit(node, ""));
  return found;
}

function typedInput(member: ts.TypeElement): [string, TypedInput][] {
  if (!ts.isPropertySignature(member)) return [];
  const [, structure] = /\binputs\.([\w.]+)/.exec(member.type?.getText() ?? "") ?? [];
  return [
    [member.name.getText(), { isDeprecated: ts.getJSDocDeprecatedTag(member) !== undefined, structure }],
  ];
}
