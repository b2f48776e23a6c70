import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

const arn = (service: string, resource: string) =>
  z
    .string()
    .regex(
      new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]+:[0-9]{12}:${resource}$`),
      `must be an ARN of ${service}`,
    );
/** Secrets Manager's names have 512 characters at most, and the ARN adds a hyphen and six. */
const secretArn = () => arn("secretsmanager", "secret:[A-Za-z0-9/_+=.@!-]{1,519}");
const ids = (kind: string, most: number) =>
  z
    .string()
    .transform((list) => [...new Set(list.split(",").map((id) => id.trim()))])
    .refine(
      (list) => list.every((id) => new RegExp(`^${kind}-[0-9a-f]+$`).test(id)),
      `must be ids that start with "${kind}-", separated by commas`,
    )
    .refine((list) => list.length <= most, `must be ${most} at most: AWS Lambda accepts no more`);
const LSN = /^(?!0+\/0+$)[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i;
const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** The retentions that CloudWatch Logs accepts, in days. Source: Amazon CloudWatch Logs API, PutRetentionPolicy. */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** The most that Lambda attaches a function to. Source: AWS Lambda API reference, VpcConfig. */
const MAX_SUBNETS = 16;
const MAX_SECURITY_GROUPS = 5;

/** Where to find a value that is not set. */
const FOUND_BY: Record<string, string> = { captureStartPosition: "`npm run migrate` prints it. " };

/** What every stack configures: names, defaults, limits. Pulumi.yaml repeats the defaults, for `pulumi config`. */
const stackSchema = z.object({
  /** Days that an outbox keeps its events. */
  outboxRetentionDays: wholeNumber(1, 3650).default(30),
  logRetentionDays: z.coerce
    .number()
    .refine((days) => LOG_RETENTION_DAYS.includes(days), `must be one of ${LOG_RETENTION_DAYS.join(", ")}`)
    .default(30),
  /** Refuse to delete tables that hold data. */
  deletionProtection: z.stringbool().default(true),
  /** SNS topic that alarms notify; default: none. */
  alarmTopicArn: arn("sns", "[A-Za-z0-9_-]{1,256}").optional(),
});

/** What a stack with modules configures besides. */
const monolithSchema = z
  .object({
    /** Host of the monolith's PostgreSQL writer, not of a proxy: DMS cannot capture through one. */
    databaseHost: z.string().regex(/^[^\s/:@]{1,255}$/, "must be a host name, without a port"),
    databasePort: wholeNumber(1, 65_535).default(5432),
    databaseName: z
      .string()
      .regex(/^[a-z_][a-z0-9_]{0,55}$/, "must be lower case letters, digits and _, 56 at most"),
    /** "verify-full" (default) or, for a database on the same machine, "disable". */
    databaseTls: z.enum(["verify-full", "disable"]).default("verify-full"),
    /** Subnets of a private database's network, at least two (AWS DMS needs two availability zones); default: none. */
    subnetIds: ids("subnet", MAX_SUBNETS)
      .refine((list) => list.length >= 2, "must be two or more")
      .optional(),
    /** Security groups in that network, of AWS DMS and of the functions that use the database; default: none. */
    securityGroupIds: ids("sg", MAX_SECURITY_GROUPS).optional(),
    /** Module -> secret {"username","password"} of a login in the module's role. */
    moduleSecretArns: z.record(z.string(), secretArn()),
    /** Secret {"username","password","host","port"} of a login in the role monolith_capture. */
    captureSecretArn: secretArn(),
    /** Secret {"username","password"} of a login in the role monolith_retention. */
    retentionSecretArn: secretArn(),
    /** From where the outbox's slot has the changes, e.g. "2/7C007178"; DMS starts a new task there. */
    captureStartPosition: z.string().regex(LSN, 'must be a position in the log, e.g. "2/7C007178"'),
    /** Shards of the Kinesis stream; each accepts 1 MiB or 1,000 records a second. */
    streamShards: wholeNumber(1, 200).default(1),
    /** Hours that the stream keeps records: how long a relay may be down. */
    streamRetentionHours: wholeNumber(24, 8760).default(168),
    replicationInstanceClass: z
      .string()
      .regex(/^dms\.[a-z0-9-]+\.[a-z0-9]+$/, 'must be a class of AWS DMS, e.g. "dms.t3.micro"')
      .max(30)
      .default("dms.t3.micro"),
  })
  .superRefine(({ subnetIds, securityGroupIds }, { addIssue }) => {
    if (!subnetIds === !securityGroupIds) return;
    const [given, missing] = subnetIds
      ? ["subnetIds", "securityGroupIds"]
      : ["securityGroupIds", "subnetIds"];
    addIssue({ code: "custom", path: [missing], message: `is not set, but ${given} is` });
  });

/** Settings that hold an object: `pulumi config set --path <name>.<key> <value>`. */
const OBJECTS = ["moduleSecretArns"];

/** The stack's configuration, validated. */
export type Settings = z.output<typeof stackSchema> & {
  /** Undefined for a stack without modules, which needs no database. */
  monolith: z.output<typeof monolithSchema> | undefined;
};

/**
 * Reads the stack's configuration.
 *
 * @param options.modules names of the stack's modules
 * @throws one error with every setting that is missing or wrong, and the command that sets it
 */
export function readSettings(config: pulumi.Config, { modules }: { modules: readonly string[] }): Settings {
  const shared = read(config, stackSchema, Object.keys(stackSchema.shape));
  const monolith =
    modules.length > 0
      ? read(config, monolithSchema, Object.keys(monolithSchema.shape))
      : { faults: [], settings: undefined };
  const secrets = modules.length > 0 ? checkSecrets(config, modules) : [];
  const faults = [...monolith.faults, ...secrets, ...shared.faults];
  if (shared.settings && faults.length === 0) return { ...shared.settings, monolith: monolith.settings };
  throw new pulumi.RunError(
    `The configuration of this stack has ${faults.length} fault(s):\n${faults.join("\n")}`,
  );
}

/** Each login has one secret, and each module has a login: else a module could read what is another's. */
function checkSecrets(config: pulumi.Config, modules: readonly string[]): string[] {
  const name = `${config.name}:moduleSecretArns`;
  const faults: string[] = [];
  if (config.get("applicationSecretArn") !== undefined) {
    faults.push(
      `  ${config.name}:applicationSecretArn is no longer a setting: each module has a login of its own, in moduleSecretArns (docs/deploying.md). ` +
        "Remove it with: pulumi config rm applicationSecretArn",
    );
  }
  const given = z.record(z.string(), z.unknown()).safeParse(valueOf(config, "moduleSecretArns") ?? {});
  if (!given.success) return faults;
  const holders = new Map<unknown, string>(
    ["captureSecretArn", "retentionSecretArn"].map((setting) => [config.get(setting), setting]),
  );
  for (const module of modules) {
    const arn = given.data[module];
    const holder = arn === undefined ? undefined : holders.get(arn);
    if (arn === undefined) {
      faults.push(
        `  ${name} has no secret of module "${module}". Create its login and secret (docs/deploying.md), and set it with: pulumi config set --path moduleSecretArns.${module} <arn>`,
      );
    } else if (holder !== undefined) {
      faults.push(
        `  ${name}.${module} is the secret of ${holder} too, but each has a login of its own (docs/deploying.md). Set it with: pulumi config set --path moduleSecretArns.${module} <arn>`,
      );
    } else holders.set(arn, `moduleSecretArns.${module}`);
  }
  for (const other of Object.keys(given.data).filter((key) => !modules.includes(key))) {
    faults.push(
      `  ${name} has a secret of "${other}", but there is no such module; there are: ${modules.join(", ")}. Remove it with: pulumi config rm --path 'moduleSecretArns["${other}"]'`,
    );
  }
  return faults;
}

/** An object is kept as JSON. */
function valueOf(config: pulumi.Config, name: string): unknown {
  const value = config.get(name);
  if (value === undefined || !OBJECTS.includes(name)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function read<S extends z.ZodType>(
  config: pulumi.Config,
  schema: S,
  names: string[],
): { faults: string[]; settings: z.output<S> | undefined } {
  const given = names.flatMap((name) => {
    const value = valueOf(config, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const result = schema.safeParse(Object.fromEntries(given));
  if (result.success) return { faults: [], settings: result.data };
  const faults = result.error.issues.flatMap((issue) => {
    const name = String(issue.path[0]);
    const value = config.get(name);
    // checkSecrets names the modules of which it lacks a secret.
    if (OBJECTS.includes(name) && value === undefined) return [];
    if (OBJECTS.includes(name)) return [objectFault(config, name, issue)];
    const missing = issue.code === "custom" ? issue.message : "is not set";
    const fault = value === undefined ? missing : `is "${value}": ${issue.message}`;
    return `  ${config.name}:${name} ${fault}. ${FOUND_BY[name] ?? ""}Set it with: pulumi config set ${name} <value>`;
  });
  return { faults, settings: undefined };
}

function objectFault(config: pulumi.Config, name: string, { path, message }: z.core.$ZodIssue): string {
  const key = path[1];
  if (key === undefined)
    return `  ${config.name}:${name} is "${config.get(name)}": must have a value for each module. Set each with: pulumi config set --path ${name}.<module> <value>`;
  const value = String((valueOf(config, name) as Record<PropertyKey, unknown>)[key]);
  return `  ${config.name}:${name}.${String(key)} is "${value}": ${message}. Set it with: pulumi config set --path ${name}.${String(key)} <value>`;
}
