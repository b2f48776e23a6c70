import tseslint from "typescript-eslint";

const RUNTIME_RULE = "runtime/ and domains/ are serialized into Lambda packages";

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", ".domains/", "coverage/"] },
  ...tseslint.configs.recommended,
  {
    files: ["**/*.ts", "**/*.mts"],
    rules: {
      "max-lines": ["error", 300],
      "no-restricted-exports": [
        "error",
        { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } },
      ],
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    files: ["runtime/**/*.ts", "domains/**/*.ts"],
    ignores: ["**/*.test.ts"],
    rules: {
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        {
          selector: "ClassDeclaration, ClassExpression",
          message: `No classes: ${RUNTIME_RULE}, where they break.`,
        },
        { selector: "ThisExpression", message: `No "this": ${RUNTIME_RULE}, where it is not captured.` },
        {
          selector:
            "Program > VariableDeclaration[kind='let'], Program > ExportNamedDeclaration > VariableDeclaration[kind='let']",
          message: `No state in modules: ${RUNTIME_RULE}, where it is reset at every call. Keep it in the factory.`,
        },
        {
          selector:
            "Program > VariableDeclaration > VariableDeclarator > NewExpression[callee.name=/^(Map|Set|WeakMap|Date)$/], Program > ExportNamedDeclaration > VariableDeclaration > VariableDeclarator > NewExpression[callee.name=/^(Map|Set|WeakMap|Date)$/]",
          message: `No Map, Set or Date in modules: ${RUNTIME_RULE}, where they throw when used. Make them in the factory.`,
        },
        {
          selector:
            "FunctionDeclaration > Identifier.id[name=/^(valueOf|toString|toLocaleString|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|constructor)$/], Program VariableDeclarator > Identifier.id[name=/^(valueOf|toString|toLocaleString|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|constructor)$/]",
          message: `No names of Object.prototype: ${RUNTIME_RULE}, inside a \`with\` block that would find the method instead.`,
        },
        {
          selector: "ExportAllDeclaration",
          message: "No barrels: the serializer would capture the whole module.",
        },
      ],
    },
  },
  { files: ["runtime/function/log.ts"], rules: { "no-console": "off" } },
  { files: ["**/vitest.config.mts"], rules: { "no-restricted-exports": "off" } },
);
