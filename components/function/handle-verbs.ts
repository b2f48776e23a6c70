import {
  type AnyNode,
  type ArrowFunctionExpression,
  type FunctionExpression,
  type Identifier,
  parse,
  type Pattern,
} from "acorn";

/**
 * What a handler calls on each of its handles: handle -> verbs. "any" for a handle that it passes on, where the calls
 * are not in its own code. A call of `where` whose index is a literal is `where(<index>)`.
 */
export type HandleVerbs = ReadonlyMap<string, ReadonlySet<string> | "any">;

/**
 * Reads from the code of a command or reaction which verbs it calls on which handle, e.g. `find` on `orders`.
 *
 * @param handler takes the handles as its second parameter
 * @returns undefined where the code does not tell, e.g. because it passes all handles on
 */
export function handleVerbs(handler: (...args: never[]) => unknown): HandleVerbs | undefined {
  const node = parsedFunction(Function.prototype.toString.call(handler));
  if (!node) return undefined;
  const nodes = allNodes(node);
  // Both reach parameters and variables in a way that does not show.
  const names = nodes.flatMap(({ node: one }) => (one.type === "Identifier" ? [one.name] : []));
  if (names.includes("eval") || names.includes("arguments")) return undefined;
  if (node.params.slice(0, 2).some(({ type }) => type === "RestElement")) return undefined;
  const [, handles] = node.params;
  return handles ? verbsOf(handles, nodes) : new Map();
}

/** A node, and the one that it is a part of. */
interface Placed {
  node: AnyNode;
  parent: AnyNode | undefined;
}

type Verbs = Map<string, Set<string> | "any">;

function verbsOf(handles: Pattern, nodes: readonly Placed[]): Verbs | undefined {
  const verbs: Verbs = new Map();
  const whole = handles.type === "AssignmentPattern" ? handles.left : handles;
  if (whole.type === "Identifier") return verbsOfWhole(whole, nodes, verbs);
  if (whole.type !== "ObjectPattern") return undefined;
  return addDestructured(whole, nodes, verbs) ? verbs : undefined;
}

/** `(input, handles) => handles.orders.find(...)`, or `const { orders } = handles`. */
function verbsOfWhole(handles: Identifier, nodes: readonly Placed[], verbs: Verbs): Verbs | undefined {
  for (const { node, parent } of references(handles, nodes)) {
    const name = memberName(node, parent);
    if (name !== undefined && parent) {
      const place = nodes.find((one) => one.node === parent);
      addUse(verbs, name, { node: parent, parent: place?.parent }, nodes);
      continue;
    }
    const pattern = destructured(node, parent);
    if (!pattern || !addDestructured(pattern, nodes, verbs)) return undefined;
  }
  return verbs;
}

/** `{ orders, customers: { get } }`. @returns whether every name is known */
function addDestructured(
  pattern: Extract<Pattern, { type: "ObjectPattern" }>,
  nodes: readonly Placed[],
  verbs: Verbs,
): boolean {
  for (const property of pattern.properties) {
    const name = property.type === "Property" ? propertyName(property) : undefined;
    if (property.type !== "Property" || name === undefined) return false;
    const value = property.value.type === "AssignmentPattern" ? property.value.left : property.value;
    if (value.type === "ObjectPattern") addVerbs(verbs, name, verbNames(value));
    else if (value.type === "Identifier") {
      addVerbs(verbs, name, []);
      for (const handle of references(value, nodes)) addUse(verbs, name, handle, nodes);
    } else return false;
  }
  return true;
}

/** Adds what is done with a handle where it occurs. */
function addUse(verbs: Verbs, name: string, { node, parent }: Placed, nodes: readonly Placed[]): void {
  const verb = memberName(node, parent);
  const pattern = verb === undefined ? destructured(node, parent) : undefined;
  const index = verb === "where" ? calledWithText(nodes.find((one) => one.node === parent)) : undefined;
  const called = index === undefined ? verb : `${verb}(${index})`;
  addVerbs(verbs, name, called !== undefined ? [called] : pattern ? verbNames(pattern) : "any");
}

/** The first argument, where it is a literal text and the node is what is called. */
function calledWithText({ node, parent }: Partial<Placed> = {}): string | undefined {
  if (parent?.type !== "CallExpression" || parent.callee !== node) return undefined;
  const [first] = parent.arguments;
  return first?.type === "Literal" && typeof first.value === "string" ? first.value : undefined;
}

function addVerbs(verbs: Verbs, name: string, added: readonly string[] | "any"): void {
  const known = verbs.get(name) ?? new Set();
  verbs.set(name, known === "any" || added === "any" ? "any" : new Set([...known, ...added]));
}

/** The verbs that `{ find, where: query }` takes out of a handle. */
function verbNames(pattern: Extract<Pattern, { type: "ObjectPattern" }>): string[] | "any" {
  const names = pattern.properties.map((property) =>
    property.type === "Property" ? propertyName(property) : undefined,
  );
  return names.every((name) => name !== undefined) ? names : "any";
}

/** Every place where a variable's name occurs as a variable, apart from the one that declares it. */
function references(variable: Identifier, nodes: readonly Placed[]): Placed[] {
  return nodes.filter(
    ({ node, parent }) =>
      node !== variable && node.type === "Identifier" && node.name === variable.name && !isName(node, parent),
  );
}

/** Whether an identifier names a property, not a variable. */
function isName(node: AnyNode, parent: AnyNode | undefined): boolean {
  if (parent?.type === "MemberExpression") return parent.property === node && !parent.computed;
  // A shorthand property has a node of its own for its value, which is the variable.
  if (parent?.type === "Property") return parent.key === node && !parent.computed && parent.value !== node;
  return false;
}

/** `name` in `node.name` and `node["name"]`. */
function memberName(node: AnyNode, parent: AnyNode | undefined): string | undefined {
  if (parent?.type !== "MemberExpression" || parent.object !== node) return undefined;
  const { property, computed } = parent;
  if (!computed && property.type === "Identifier") return property.name;
  return property.type === "Literal" && typeof property.value === "string" ? property.value : undefined;
}

/** The pattern in `const pattern = node`. */
function destructured(
  node: AnyNode,
  parent: AnyNode | undefined,
): Extract<Pattern, { type: "ObjectPattern" }> | undefined {
  if (parent?.type !== "VariableDeclarator" || parent.init !== node) return undefined;
  return parent.id.type === "ObjectPattern" ? parent.id : undefined;
}

function propertyName({ key, computed }: { key: AnyNode; computed: boolean }): string | undefined {
  if (computed) return undefined;
  if (key.type === "Identifier") return key.name;
  return key.type === "Literal" ? String(key.value) : undefined;
}

/** Parses a function's text: an expression, or a method of an object. */
function parsedFunction(text: string): ArrowFunctionExpression | FunctionExpression | undefined {
  for (const [before, after] of [
    ["(", ")"],
    ["({", "})"],
  ] as const) {
    try {
      const [statement] = parse(before + text + after, { ecmaVersion: "latest" }).body;
      if (statement?.type !== "ExpressionStatement") continue;
      const { expression } = statement;
      if (expression.type === "ArrowFunctionExpression" || expression.type === "FunctionExpression")
        return expression;
      const [method] = expression.type === "ObjectExpression" ? expression.properties : [];
      if (method?.type === "Property" && method.value.type === "FunctionExpression") return method.value;
    } catch {
      // Native and bound functions have no code.
    }
  }
  return undefined;
}

function allNodes(node: AnyNode, parent?: AnyNode): Placed[] {
  const parts = Object.values(node)
    .flat()
    .filter((part): part is AnyNode => typeof (part as AnyNode | null)?.type === "string");
  return [{ node, parent }, ...parts.flatMap((part) => allNodes(part, node))];
}
