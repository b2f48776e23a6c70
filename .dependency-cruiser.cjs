/** The project's rooms. */
const ALL = [
  "index",
  "components",
  "domains",
  "registry",
  "runtime",
  "migrations",
  "scenario",
  "local",
  "cli",
  "bench",
  "test",
];

/** What of the verdict gets a running system. */
const HANDED_A_SYSTEM = "^test/verdict/(verdict|stores/take-snapshot)\\.ts$";

/** The layers of the project; `npm run layers` fails when an import crosses one. */
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "contracts-stand-alone",
      comment: "A contract is all that other domains see: of the project it imports the author's API only.",
      severity: "error",
      from: { path: "^domains/[^/]+/contract\\.ts$" },
      to: { path: `^(${ALL.join("|")})`, pathNot: "^runtime/index\\.ts$" },
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
      comment: "What a domain imports of the project comes from one module.",
      severity: "error",
      from: { path: "^domains/[^/]+/" },
      to: {
        path: [
          `^(${ALL.filter((room) => room !== "domains").join("|")})`,
          "node_modules/(@pulumi|@aws-sdk|pg)/",
        ],
        pathNot: "^runtime/index\\.ts$",
      },
    },
    {
      name: "nothing-knows-the-sample",
      comment: "A team deletes the sample's domains and its scenario, and everything else works.",
      severity: "error",
      from: { pathNot: "^(domains|scenario)/" },
      to: { path: "^(domains/[^/]+|scenario)/" },
    },
    {
      name: "declarations-are-plain-data",
      comment: "What a domain declares knows nothing of what runs it.",
      severity: "error",
      from: { path: "^runtime/define/" },
      to: { path: "^runtime/(?!define/)" },
    },
    {
      name: "stores-stand-apart",
      comment: "What the two stores share is in runtime/store.",
      severity: "error",
      from: { path: "^runtime/(postgres|dynamodb)/" },
      to: { path: "^runtime/(postgres|dynamodb|command|reaction|relay|retention)/", pathNot: "^runtime/$1/" },
    },
    {
      name: "handlers-stand-apart",
      severity: "error",
      from: { path: "^runtime/(command|reaction|projection|relay|retention)/" },
      to: { path: "^runtime/(command|reaction|projection|relay|retention)/", pathNot: "^runtime/$1/" },
    },
    {
      name: "runtime-knows-no-infrastructure",
      severity: "error",
      from: { path: "^runtime/" },
      to: { path: [`^(${ALL.filter((room) => room !== "runtime").join("|")})`, "node_modules/@pulumi/"] },
    },
    {
      name: "the-registry-knows-what-is-declared",
      severity: "error",
      from: { path: "^registry/" },
      to: { path: `^(${ALL.filter((room) => !["registry", "runtime"].includes(room)).join("|")})` },
    },
    {
      name: "components-know-no-domain",
      severity: "error",
      from: { path: "^components/" },
      to: { path: `^(${ALL.filter((room) => !["components", "runtime"].includes(room)).join("|")})` },
    },
    {
      name: "the-program-knows-no-runner",
      severity: "error",
      from: { path: "^(index|components|domains|registry|runtime|migrations)" },
      to: { path: "^(local|cli|bench|test|scenario)" },
    },
    {
      name: "the-verdict-shares-nothing",
      comment:
        "What judges a run shares no code with what ran, not even by way of other modules: a mistake in it would hide itself.",
      severity: "error",
      from: { path: "^test/verdict/", pathNot: HANDED_A_SYSTEM },
      to: {
        path: "^(index\\.ts|(components|domains|registry|runtime|migrations|cli|bench|local|scenario)/)",
        reachable: true,
      },
    },
    {
      name: "the-verdict-knows-the-system-by-type",
      comment: "What takes the snapshot is handed a running system, and knows only its type.",
      severity: "error",
      from: { path: HANDED_A_SYSTEM },
      to: { path: `^(${ALL.filter((room) => room !== "test").join("|")})`, pathNot: "^local/system/" },
    },
    {
      name: "the-verdict-runs-nothing-of-the-system",
      severity: "error",
      from: { path: "^test/verdict/" },
      to: { path: "^local/", dependencyTypesNot: ["type-only"] },
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
