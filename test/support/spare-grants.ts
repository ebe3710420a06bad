/** What roles may do though the end-to-end run does not need it, and why it stays. Whoever adds a line says why. */
import type { Grant } from '../infra/policies.ts'

interface Spare {
  /** All roles if not given. */
  readonly role?: RegExp
  readonly actions: readonly string[]
  /** The resource as the construct tree names it; all if not given. */
  readonly on?: RegExp
  readonly why: string
}

const readsLanding = /^(Ingestion\/Ingest|Orchestration\/(QuarantineFiles|LoadFile|ReplayFiles))\//
const readsFiles =
  /^((Migration|Transform)\/Project\/Role|Ingestion\/Ingest\/.*|Orchestration\/(QuarantineFiles|LoadFile|ReplayFiles)\/.*)$/
const putBesides = ['s3:Abort*', 's3:PutObjectLegalHold', 's3:PutObjectRetention']
const tagging = ['s3:PutObjectTagging', 's3:PutObjectVersionTagging']

export const spareGrants: readonly Spare[] = [
  // What a service does where the emulator does not.
  {
    role: readsLanding,
    actions: ['s3:List*'],
    on: /^Landing\/Bucket$/,
    why: 's3:ListBucket: without it S3 answers 403 and not 404 when a version is missing. The emulator always says 404.',
  },
  {
    role: /^Orchestration\/QuarantineFiles\//,
    actions: tagging,
    on: /\/quarantine\/\*$/,
    why: 'CopyObject copies the tags of a tagged object, and S3 asks for this on the target. The run tags nothing.',
  },
  {
    role: /^Orchestration\/Pipeline\/Role$/,
    actions: ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'],
    why: 'startBuild.sync hears of the end of a build by a rule that Step Functions makes. The emulator makes none.',
  },
  {
    role: /^Orchestration\/Pipeline\/Role$/,
    actions: ['codebuild:StopBuild', 'codebuild:BatchGetReports'],
    why: 'startBuild.sync stops the build when its execution is stopped, and AWS wants both to make the state machine.',
  },
  {
    role: /^Orchestration\/Pipeline\/Role$/,
    actions: [
      ...['logs:CreateLogDelivery', 'logs:DeleteLogDelivery', 'logs:GetLogDelivery', 'logs:ListLogDeliveries'],
      ...[
        'logs:UpdateLogDelivery',
        'logs:PutResourcePolicy',
        'logs:DescribeResourcePolicies',
        'logs:DescribeLogGroups',
      ],
    ],
    why: 'Step Functions delivers its log by these, and none has resource-level permissions. The emulator writes no such log.',
  },
  {
    role: /^Transform\/Project\/Role$/,
    actions: [
      ...['codebuild:CreateReportGroup', 'codebuild:CreateReport', 'codebuild:UpdateReport'],
      ...['codebuild:BatchPutTestCases', 'codebuild:BatchPutCodeCoverages'],
    ],
    why: 'CodeBuild puts the results of the tests of dbt by these, inside the emulator. Coverage: CDK grants it with them.',
  },
  // What the run does not come to.
  {
    role: /^Migration\/StartBuild\//,
    actions: ['logs:GetLogEvents'],
    why: 'Tells why a migration failed. In this run none does; test/infra/migration.test.ts and test/slow/migrations.test.ts.',
  },
  {
    role: /^(Ingestion\/Ingest|Orchestration\/ReplayFiles)\//,
    actions: ['s3:GetObject*'],
    on: /\/quarantine\/\*$/,
    why: 'A replay reads the copy when the version under input/ has expired. In this run none has.',
  },
  {
    role: /^Orchestration\/(Sweep\/ServiceRole|Pipeline\/Role)$/,
    actions: ['states:StartExecution'],
    why: 'A sweep that finds something forgotten, a drain that takes long, a transform that is due: not in this run.',
  },
  // What CDK grants besides: its methods know whole patterns only, and our own lists would have to follow what S3 asks for.
  {
    role: readsFiles,
    actions: ['s3:GetBucket*', 's3:List*', 's3:GetObject*'],
    on: /^(Landing\/Bucket|Transform\/Builds|arn:aws:s3:::cdk-[^/]*)$/,
    why: "CDK's grantRead: reads about the bucket tell nothing of files that the role may not read. Actions on objects match no bucket.",
  },
  {
    role: readsFiles,
    actions: ['s3:GetBucket*', 's3:List*'],
    on: /^(Landing\/Bucket|Transform\/Builds|arn:aws:s3:::cdk-[^/]*)\//,
    why: "CDK's grantRead: actions on buckets match no object. Nothing can be done by it.",
  },
  {
    actions: [...putBesides, ...tagging, 's3:PutObject', 's3:DeleteObject*'],
    on: /^Transform\/Builds$/,
    why: "CDK's grantReadWrite for the cache: actions on objects match no bucket. Nothing can be done by it.",
  },
  {
    role: /^Transform\/Project\/Role$/,
    actions: [...putBesides, ...tagging, 's3:DeleteObject*'],
    on: /^Transform\/Builds\/\*$/,
    why: "CDK's grantReadWrite for the cache. The bucket holds what builds made and nothing else.",
  },
  {
    role: /^Orchestration\/QuarantineFiles\//,
    actions: putBesides,
    on: /\/quarantine\/\*$/,
    why: "CDK's grantPut. Aborts uploads of many parts; the bucket has no object lock.",
  },
  {
    role: /^(Ingestion|Orchestration|Inspection|Erasure)\/\w+\/ServiceRole$/,
    actions: ['secretsmanager:DescribeSecret'],
    on: /^Database\/\w+Secret$/,
    why: "CDK's grantRead of a secret: tells its rotation and versions, and nothing that it holds.",
  },
  {
    role: /^(Ingestion\/Ingest|Orchestration\/(CollectDeadLetters|ReplayFiles|ReconcileFiles))\//,
    actions: ['sqs:ChangeMessageVisibility', 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes'],
    why: "CDK's grantConsumeMessages and grantSendMessages, of a queue whose messages the role may take or send.",
  },
  {
    role: /^Orchestration\/Pipeline\/Role$/,
    actions: ['lambda:InvokeFunction'],
    on: /:\*$/,
    why: "CDK's grantInvoke: versions and aliases of a function that the role may invoke.",
  },
  {
    role: /^(Migration|Transform)\/Project\/Role$/,
    actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
    on: /^arn:aws:logs:[^*]*(:\*)?$/,
    why: "CDK's Project grants its log twice, once as if CodeBuild had to make the group. The group is made by the template.",
  },
]

export const reasonFor = (grant: Grant, list = spareGrants): string | undefined =>
  list.find(
    ({ role, actions, on }) =>
      (role === undefined || role.test(grant.role)) &&
      actions.includes(grant.action) &&
      (on === undefined || on.test(grant.readable)),
  )?.why
