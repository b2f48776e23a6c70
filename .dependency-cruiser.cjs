/** The layers of the project; `npm run layers` fails when an import crosses one. */
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "contracts-stand-alone",
      comment:
        "A contract is all that other domains see: it imports the contract helper, and nothing else of the project.",
      severity: "error",
      from: { path: "^domains/[^/]+/contract\\.ts$" },
      to: {
        path: "^(index|components|domains|runtime|migrations|local|cli|bench)",
        pathNot: "^runtime/define/aggregate\\.ts$",
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
      from: { path: "^local/verdict/", pathNot: "^test/verdict/stores/take-snapshot\\.ts$" },
      to: {
        path: "^(index|components|domains|runtime|migrations|cli|bench|local/(?!verdict/))",
        reachable: true,
      },
    },
    {
      name: "the-snapshot-knows-the-system-by-type",
      comment: "What takes the snapshot is handed a running system, and knows only its types.",
      severity: "error",
      from: { path: "^test/verdict/stores/take-snapshot\\.ts$" },
      to: { path: "^(index|components|domains|runtime|migrations|cli|bench|local/(?!verdict/|system/))" },
    },
    {
      name: "the-snapshot-runs-nothing-of-the-system",
      severity: "error",
      from: { path: "^local/verdict/" },
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
