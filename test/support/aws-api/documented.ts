/** What AWS's documents say of a member beyond its API model. */
export interface Documented {
  min?: number;
  max?: number;
  pattern?: RegExp;
  values?: readonly (string | number)[];
  /** The text is a JSON document. */
  json?: true;
  /** Where: a quotation of the API reference that the extract holds, or the address of another document. */
  source: string;
}

/** "First character must be a letter. Can't end with a hyphen or contain two consecutive hyphens." */
const DMS_IDENTIFIER = /^[a-zA-Z](?:[a-zA-Z0-9]|-(?!-|$))*$/;
const SUBNET_GROUP: Documented = {
  max: 255,
  pattern: /^(?!default$)[a-zA-Z0-9._-]+$/,
  source: "Must contain no more than 255 alphanumeric characters, periods, underscores, or hyphens.",
};
const IAM_QUOTAS =
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length";
const TABLE_MAPPING =
  "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TableMapping.html";
const POSTGRES_SOURCE = "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html";

/** By API member, as shapes.json names it. */
export const DOCUMENTED: Record<string, Documented> = {
  "cloudwatch.PutMetricAlarm.TreatMissingData": {
    values: ["breaching", "notBreaching", "ignore", "missing"],
    source: "Valid Values: breaching | notBreaching | ignore | missing",
  },
  "dms.CreateEndpoint.EndpointIdentifier": {
    max: 255, // the provider's limit
    pattern: DMS_IDENTIFIER,
    source: "Identifiers must begin with a letter and must contain only ASCII letters, digits, and hyphens.",
  },
  "dms.CreateEndpoint.EngineName": {
    values: ["postgres", "aurora-postgresql", "kinesis"],
    source: '"postgres" , "mariadb" , "aurora" , "aurora-postgresql"',
  },
  "dms.CreateEndpoint.PostgreSQLSettings.SlotName": {
    max: 63,
    pattern: /^[a-z0-9_]+$/,
    source: "https://www.postgresql.org/docs/17/warm-standby.html#STREAMING-REPLICATION-SLOTS-MANIPULATION",
  },
  "dms.CreateReplicationInstance.AllocatedStorage": {
    min: 5,
    max: 6144,
    source: "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Limits.html",
  },
  "dms.CreateReplicationInstance.EngineVersion": {
    pattern: /^3\.\d+\.\d+$/,
    source: "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_ReleaseNotes.html",
  },
  "dms.CreateReplicationInstance.ReplicationInstanceIdentifier": {
    max: 63,
    pattern: DMS_IDENTIFIER,
    source: "Must contain 1-63 alphanumeric characters or hyphens.",
  },
  "dms.CreateReplicationInstance.ReplicationSubnetGroupIdentifier": {
    ...SUBNET_GROUP,
    source: "https://docs.aws.amazon.com/dms/latest/APIReference/API_CreateReplicationSubnetGroup.html",
  },
  "dms.CreateReplicationSubnetGroup.ReplicationSubnetGroupDescription": {
    pattern: /^[\x20-\x7e]+$/,
    source: "This parameter Must not contain non-printable control characters.",
  },
  "dms.CreateReplicationSubnetGroup.ReplicationSubnetGroupIdentifier": SUBNET_GROUP,
  "dms.CreateReplicationSubnetGroup.SubnetIds": {
    min: 2,
    source: "Two or more subnet IDs to be assigned to the subnet group.",
  },
  "dms.CreateReplicationTask.CdcStartPosition": {
    pattern: /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/,
    source: POSTGRES_SOURCE,
  },
  "dms.CreateReplicationTask.ReplicationTaskIdentifier": {
    max: 255,
    pattern: DMS_IDENTIFIER,
    source: "Must contain 1-255 alphanumeric characters or hyphens.",
  },
  "dms.CreateReplicationTask.ReplicationTaskSettings": { json: true, source: TABLE_MAPPING },
  "dms.CreateReplicationTask.TableMappings": { json: true, source: TABLE_MAPPING },
  "dynamodb.CreateTable.GlobalSecondaryIndexes": {
    max: 20,
    source: "One or more global secondary indexes (the maximum is 20) to be created on the table.",
  },
  "events.PutRule.EventPattern": {
    max: 2048,
    json: true,
    source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
  },
  "iam.CreateRole.AssumeRolePolicyDocument": { max: 2048, json: true, source: IAM_QUOTAS },
  "iam.PutRolePolicy.PolicyDocument": { max: 10_240, json: true, source: IAM_QUOTAS },
  "kinesis.IncreaseStreamRetentionPeriod.RetentionPeriodHours": {
    min: 24,
    max: 8760,
    source: "https://docs.aws.amazon.com/streams/latest/dev/kinesis-extended-retention.html",
  },
  "lambda.CreateEventSourceMapping.FilterCriteria.Filters": {
    max: 5,
    source: "https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html",
  },
  "lambda.CreateEventSourceMapping.FilterCriteria.Filters[].Pattern": {
    json: true,
    source: "https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html",
  },
  "logs.PutRetentionPolicy.retentionInDays": {
    values: [
      1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ],
    source:
      "Possible values are: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, and 3653.",
  },
  "sqs.CreateQueue.Attributes{MessageRetentionPeriod}": {
    min: 60,
    max: 1_209_600,
    source: "An integer from 60 seconds (1 minute) to 1,209,600 seconds (14 days).",
  },
  "sqs.CreateQueue.Attributes{RedrivePolicy}": {
    json: true,
    source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html",
  },
  "sqs.CreateQueue.Attributes{VisibilityTimeout}": {
    min: 0,
    max: 43_200,
    source: "An integer from 0 to 43,200 (12 hours).",
  },
  "sqs.CreateQueue.QueueName": {
    max: 80,
    pattern: /^[a-zA-Z0-9_-]+$/,
    source: "A queue name can have up to 80 characters.",
  },
  "sqs.SetQueueAttributes.Attributes{Policy}": {
    max: 8192,
    json: true,
    source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-limits.html",
  },
};
