/** The design that Sluice follows, made whole: what it needs and its estimate left out, with the assumptions of that estimate. */
import type { Load, Template } from '../../../workflows/bill/bill.ts'

const many = (number: number, name: string, Type: string, Properties = {}) =>
  Array.from({ length: number }, (_, place) => [`${name}${place}`, { Type, Properties }] as const)

const states = Array.from({ length: 6 }, (_, place) => [
  `S${place}`,
  place < 5 ? { Type: 'Pass', Next: `S${place + 1}` } : { Type: 'Pass', End: true },
])

interface Variant {
  readonly instanceClass?: string
  readonly endpoints?: readonly string[]
  readonly hasLifecycle?: boolean
  readonly hasGatewayEndpoint?: boolean
}

export function reference(variant: Variant = {}): Template {
  const { instanceClass = 'db.t4g.large', endpoints = [], hasLifecycle = true, hasGatewayEndpoint = true } = variant
  const Rules = [{ Status: 'Enabled', Prefix: 'input/', ExpirationInDays: 91 }]
  const resources = [
    ...many(1, 'Bucket', 'AWS::S3::Bucket', hasLifecycle ? { LifecycleConfiguration: { Rules } } : {}),
    ...many(2, 'Queue', 'AWS::SQS::Queue'),
    ...many(1, 'Mapping', 'AWS::Lambda::EventSourceMapping', { BatchSize: 100, MaximumBatchingWindowInSeconds: 55 }),
    ...many(1, 'Ingest', 'AWS::Lambda::Function', {
      FunctionName: 'sluice-reference-ingest',
      MemorySize: 512,
      Architectures: ['arm64'],
      VpcConfig: { SubnetIds: ['a', 'b'] },
    }),
    ...many(1, 'Pipeline', 'AWS::StepFunctions::StateMachine', {
      DefinitionString: JSON.stringify({ StartAt: 'S0', States: Object.fromEntries(states) }),
      LoggingConfiguration: { Level: 'ALL' },
    }),
    ...many(1, 'Cluster', 'AWS::RDS::DBCluster', { Engine: 'aurora-postgresql', BackupRetentionPeriod: 7 }),
    ...many(2, 'Instance', 'AWS::RDS::DBInstance', { DBInstanceClass: instanceClass }),
    ...many(1, 'Secret', 'AWS::SecretsManager::Secret'),
    ...many(2, 'Nat', 'AWS::EC2::NatGateway'),
    ...many(2, 'Address', 'AWS::EC2::EIP'),
    ...many(hasGatewayEndpoint ? 1 : 0, 'S3', 'AWS::EC2::VPCEndpoint', { ServiceName: 'com.amazonaws.us-east-1.s3' }),
    ...endpoints.flatMap((name) =>
      many(1, name, 'AWS::EC2::VPCEndpoint', {
        VpcEndpointType: 'Interface',
        ServiceName: name,
        SubnetIds: ['a', 'b'],
      }),
    ),
    ...['transform', 'migrate'].flatMap((name) =>
      many(1, name, 'AWS::CodeBuild::Project', {
        Name: `x-${name}`,
        Environment: { ComputeType: 'BUILD_GENERAL1_SMALL' },
      }),
    ),
    ...many(12, 'Alarm', 'AWS::CloudWatch::Alarm', { Period: 300 }),
    ...many(3, 'Key', 'AWS::KMS::Key'),
  ]
  return { Resources: Object.fromEntries(resources) }
}

/** 100,000 files a day of 50 KB, in the 234,643 batches a month that five pollers make of them with a window of 55 s. */
export const referenceLoad: Load = {
  filesPerDay: 100_000,
  kilobytes: 50,
  filesPerBatch: 3_041_667 / 234_643,
  assumed: {
    ...{ refusedShare: 0, redeliveredShare: 0, retriedShare: 0, replayedFiles: 0, notices: 0 },
    ...{ messagesPerReceive: 10, pollers: 6, coldShare: 0 },
    ...{ ingestSecondsPerBatch: 0.3, ingestMillisecondsPerFile: 0, ingestMicrosecondsPerKilobyte: 0 },
    ...{ rawRetentionDays: 91.25, ledgerBytesPerFile: 0, martsShare: 0, transformIoPerFile: 4.93, queryIo: 0 },
    ...{ migrateMinutes: 25, buildMegabytes: 152.2, batchKilobytesThroughNat: 0 },
    ...{
      artifactMegabytes: 0,
      stageAgeMonths: 12,
      bootstrapGigabytes: 0,
      executionLogKilobytesPerState: 3.36,
      customMetrics: 10,
    },
  },
}
