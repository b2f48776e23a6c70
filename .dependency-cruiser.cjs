/** The layers of the project; `npm run layers` fails when an import crosses one. */
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "contracts-stand-alone",
      comment: "A contract is all that other domains see: of the project it imports the author's API only.",
      severity: "error",
      from: { path: "^domains/[^/]+/contract\\.ts$" },
      to: {
        path: "^(index|components|domains|registry|runtime|migrations|local|cli|bench|test)",
        pathNot: "^runtime/index\\.ts$",
      },
    },
    {
      name: "domains-meet-at-contracts",
      comment: "A domain imports another domain's contract.ts only.",
      severity: "error",
      from: { path: "^domains/([^/]+)/" },
      to: { path: "^domains/[^/]+/", pathNot: ["^domains/$1/", "^domains/[^/]+/contract\\.ts$"] },
    },
    {
      name: "domains-use-the-author's-api",
      comment: "What a domain imports of the runtime comes from one module.",
      severity: "error",
      from: { path: "^domains/[^/]+/" },
      to: { path: "^(runtime|registry)/", pathNot: "^runtime/index\\.ts$" },
    },
    {
      name: "domains-know-no-infrastructure",
      severity: "error",
      from: { path: "^domains/" },
      to: { path: ["^(components|local|cli|bench|migrations|index)", "node_modules/(@pulumi|@aws-sdk|pg)/"] },
    },
    {
      name: "runtime-knows-no-infrastructure",
      severity: "error",
      from: { path: "^runtime/" },
      to: { path: ["^(components|domains|local|cli|bench|migrations|index)", "node_modules/@pulumi/"] },
    },
    {
      name: "components-know-no-domain",
      severity: "error",
      from: { path: "^components/" },
      to: { path: "^(domains|local|cli|bench|migrations|index)" },
    },
    {
      name: "the-program-knows-no-runner",
      severity: "error",
      from: { path: "^(index|components|domains|runtime|migrations)" },
      to: { path: "^(local|cli|bench|test)" },
    },
    {
      name: "the-verdict-shares-nothing",
      comment:
        "What judges a run shares no code with what ran, not even by way of other modules: a mistake in it would hide itself.",
      severity: "error",
      from: { path: "^test/verdict/", pathNot: "^test/verdict/take-snapshot\\.ts$" },
      to: {
        path: "^(index\\.ts|(components|domains|registry|runtime|migrations|cli|bench|local)/)",
        reachable: true,
      },
    },
    {
      name: "the-snapshot-knows-the-system-by-type",
      comment: "What takes the snapshot is handed a running system, and knows only its types.",
      severity: "error",
      from: { path: "^test/verdict/take-snapshot\\.ts$" },
      to: { path: "^(index|components|domains|runtime|migrations|cli|bench|registry|local/(?!system/))" },
    },
    {
      name: "the-snapshot-runs-nothing-of-the-system",
      severity: "error",
      from: { path: "^test/verdict/" },
      to: { path: "^local/system/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "packages-need-what-is-declared",
      comment: "What ends up in a Lambda package is a dependency, not a devDependency.",
      severity: "error",
      from: { path: "^(index|components|domains|runtime)" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "resolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^aws-lambda$" },
    },
  ],
  options: {
    // A test beside a domain or in the fault harness may import whatever tests import.
    exclude: { path: "\\.test\\.ts$" },
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
