import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { CfnResource, TagManager } from 'aws-cdk-lib'
import { Annotations, Match } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { type Resource, stageOf, stages, synthesize, targetOf } from './synthesized.ts'

type Json = Resource['properties']
type Synthesized = ReturnType<typeof synthesize>

// In no account, as the others, so that ARNs are spelled alike.
const { env: _, ...localInNoAccount } = stageOf('local')
const local = synthesize(localInNoAccount)
const dev = synthesize(stageOf('dev'))
const prod = synthesize(stageOf('prod'))
const onAws: [string, Synthesized][] = [
  ['dev', dev],
  ['prod', prod],
]
const all: [string, Synthesized][] = [['local', local], ...onAws]

/** Functions that connect to the database. */
const connecting = [
  'Ingestion/Ingest',
  'Inspection/ReadLedger',
  'Erasure/EraseFile',
  ...[
    'QuarantineFiles',
    'CollectDeadLetters',
    'ClaimDeadLetters',
    'ClaimTransform',
    'LoadFile',
    'ReplayFiles',
    'ReconcileFiles',
    'Sweep',
  ].map((name) => `Orchestration/${name}`),
]
const builds = ['Migration/Project', 'Transform/Project']
const roles = ['Ingest', 'Transform', 'Maintenance', 'Inspection', 'Reader', 'Erasure']

describe('local and prod', () => {
  /** By reason, the resources that are in one of them only. */
  const only: Record<'local' | 'prod', Record<string, string[]>> = {
    local: {
      'the PostgreSQL of the laptop is told to the deployment': ['AWS::SecretsManager::Secret LocalServer/AdminSecret'],
    },
    prod: {
      'a private network, where the laptop has its loopback': [
        'AWS::EC2::VPC Network/Vpc',
        'AWS::EC2::InternetGateway Network/Vpc/IGW',
        'AWS::EC2::VPCGatewayAttachment Network/Vpc/VPCGW',
        ...['Public', 'Private', 'Isolated'].flatMap((kind) =>
          [1, 2].flatMap((zone) => [
            `AWS::EC2::Subnet Network/Vpc/${kind}Subnet${zone}/Subnet`,
            `AWS::EC2::RouteTable Network/Vpc/${kind}Subnet${zone}/RouteTable`,
            `AWS::EC2::SubnetRouteTableAssociation Network/Vpc/${kind}Subnet${zone}/RouteTableAssociation`,
            ...(kind === 'Isolated' ? [] : [`AWS::EC2::Route Network/Vpc/${kind}Subnet${zone}/DefaultRoute`]),
          ]),
        ),
        'AWS::EC2::EIP Network/Vpc/PublicSubnet1/EIP',
        'AWS::EC2::NatGateway Network/Vpc/PublicSubnet1/NATGateway',
        'AWS::EC2::VPCEndpoint Network/Vpc/S3',
      ],
      'what flows in it is written down': [
        'AWS::EC2::FlowLog Network/Vpc/Flows/FlowLog',
        'AWS::IAM::Role Network/Vpc/Flows/IAMRole',
        'AWS::IAM::Policy Network/Vpc/Flows/IAMRole/DefaultPolicy',
        'AWS::Logs::LogGroup Network/FlowLog',
      ],
      'its default security group is closed, by a function of CDK': [
        'Custom::VpcRestrictDefaultSG Network/Vpc/RestrictDefaultSecurityGroupCustomResource/Default',
        'AWS::IAM::Role Custom::VpcRestrictDefaultSGCustomResourceProvider/Role',
        'AWS::Lambda::Function Custom::VpcRestrictDefaultSGCustomResourceProvider/Handler',
      ],
      'who may connect to the database': [
        'AWS::EC2::SecurityGroup Network/Clients',
        'AWS::EC2::SecurityGroupEgress Network/Clients/to <Aurora/SecurityGroup>',
        'AWS::EC2::SecurityGroup Aurora/SecurityGroup',
        'AWS::EC2::SecurityGroupIngress Aurora/SecurityGroup/from <Network/Clients>',
      ],
      'the database': [
        'AWS::RDS::DBCluster Aurora/Cluster',
        'AWS::RDS::DBInstance Aurora/Cluster/Writer',
        'AWS::RDS::DBInstance Aurora/Cluster/Reader',
        'AWS::RDS::DBSubnetGroup Aurora/Cluster/Subnets/Default',
        'AWS::RDS::DBClusterParameterGroup Aurora/Cluster/ParameterGroup',
        'AWS::SecretsManager::Secret Aurora/Cluster/Secret',
        'AWS::SecretsManager::SecretTargetAttachment Aurora/Cluster/Secret/Attachment',
      ],
      'its log is cleared in time, by a function of CDK': [
        'Custom::LogRetention Aurora/Cluster/LogRetentionpostgresql',
        'AWS::IAM::Role LogRetention/ServiceRole',
        'AWS::IAM::Policy LogRetention/ServiceRole/DefaultPolicy',
        'AWS::Lambda::Function LogRetention',
      ],
      'passwords are changed, and a secret that is changed may not be deleted by hand': [
        ...['ingest', 'transform', 'maintenance', 'inspection', 'reader', 'erasure', 'admin'].flatMap((name) => [
          `AWS::SecretsManager::RotationSchedule Rotation/${name}`,
          `AWS::Logs::LogGroup Rotation/${name}-log`,
        ]),
        ...roles.map((role) => `AWS::SecretsManager::ResourcePolicy Database/${role}Secret/Policy`),
        'AWS::SecretsManager::ResourcePolicy Aurora/Cluster/Secret/Policy',
      ],
      'builds make network interfaces': builds.map((path) => `AWS::IAM::Policy ${path}/PolicyDocument`),
      'somebody is told by mail': [
        'AWS::SNS::Subscription Notices/Pages/data-platform-on-call@example.com',
        'AWS::SNS::Subscription Notices/Topic/data-platform@example.com',
      ],
      'what only AWS has is watched': ['DatabaseCpu', 'DatabaseConnections', 'DatabaseStorage', 'NatBytes'].map(
        (name) => `AWS::CloudWatch::Alarm Monitoring/${name}`,
      ),
    },
  }

  /** By reason, the properties that differ in what both have. */
  const differing: Record<string, string[]> = {
    'functions run in the private network': connecting.flatMap((path) => [
      `AWS::Lambda::Function ${path}: VpcConfig`,
      // By a policy of AWS's, which lets them make network interfaces.
      `AWS::IAM::Role ${path}/ServiceRole: ManagedPolicyArns`,
    ]),
    'and so do builds': builds.flatMap((path) => [
      `AWS::CodeBuild::Project ${path}: VpcConfig`,
      // That they may make network interfaces. Also, for the migration, which secret it may read.
      `AWS::IAM::Policy ${path}/Role/DefaultPolicy: PolicyDocument`,
    ]),
    'Aurora has a certificate, the PostgreSQL of the laptop has none': [
      ...connecting.map((path) => `AWS::Lambda::Function ${path}: Environment.Variables.DATABASE_SSL`),
      ...builds.flatMap((path) =>
        ['PGSSLMODE', 'PGSSLROOTCERT'].map(
          (name) => `AWS::CodeBuild::Project ${path}: Environment.EnvironmentVariables.${name}`,
        ),
      ),
    ],
    'another server': [
      ...roles.map(
        (role) => `AWS::SecretsManager::Secret Database/${role}Secret: GenerateSecretString.SecretStringTemplate`,
      ),
      ...['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER', 'PGPASSWORD'].map(
        (name) => `AWS::CodeBuild::Project Migration/Project: Environment.EnvironmentVariables.${name}`,
      ),
    ],
    'the dashboard shows what only AWS has': ['AWS::CloudWatch::Dashboard Monitoring/Dashboard: DashboardBody'],
    'a longer window, and what is hidden for longer with it': [
      ...['Ingest', 'Replay'].map(
        (name) => `AWS::Lambda::EventSourceMapping Ingestion/${name}QueueMapping: MaximumBatchingWindowInSeconds`,
      ),
      ...['Queue', 'ReplayQueue'].map((name) => `AWS::SQS::Queue Landing/${name}: VisibilityTimeout`),
    ],
  }

  test('have the same resources, but for those listed with a reason', () => {
    const ours = local.resources.map(nameOf)
    const theirs = prod.resources.map(nameOf)

    expect(ours.filter((name) => !theirs.includes(name)).sort()).toEqual(Object.values(only.local).flat().sort())
    expect(theirs.filter((name) => !ours.includes(name)).sort()).toEqual(Object.values(only.prod).flat().sort())
  })

  test('say the same of what both have, but for properties listed with a reason', () => {
    const theirs = new Map(prod.resources.map((resource) => [nameOf(resource), resource]))
    const found = local.resources.flatMap((ours) => {
      const counterpart = theirs.get(nameOf(ours))
      if (counterpart === undefined) return []
      return differences(said(ours, 'local'), said(counterpart, 'prod')).map((path) => `${nameOf(ours)}: ${path}`)
    })

    expect(found.sort()).toEqual(Object.values(differing).flat().sort())
  })

  /** Type and path, without what CDK's paths repeat of ids and stages. */
  function nameOf({ type, path }: Resource): string {
    const plain = path
      .replace(/[0-9a-f]{32}/g, '')
      .replace(/(to|from) Sluice[a-z]+(Aurora|Network)(\w+?)[0-9A-F]{8}:5432$/, '$1 <$2/$3>')
    return `${type} ${plain}`
  }

  /** What a resource says, alike in all stages: code is the same, and this test bundles none of it. */
  function said({ definition }: Resource, stage: string): Json {
    const { Properties: { Tags, ...properties } = {}, DeletionPolicy, UpdateReplacePolicy } = definition
    const text = JSON.stringify({ ...properties, DeletionPolicy, UpdateReplacePolicy })
      .replaceAll(`luice-${stage}`, 'luice-<stage>')
      .replaceAll(`luice ${stage}`, 'luice <stage>')
      .replaceAll(`{"Name":"SLUICE_STAGE","Type":"PLAINTEXT","Value":"${stage}"}`, '"<stage>"')
      .replaceAll(/[0-9a-f]{64}|(?<=CurrentVersion\w{8})[0-9a-f]{32}/g, '<hash>')
    return JSON.parse(text)
  }

  /** Paths of properties that differ; environment variables of a build by their names. */
  function differences(one: Json, other: Json, path = ''): string[] {
    if (JSON.stringify(one) === JSON.stringify(other)) return []
    const isNested = /^$|^Environment(\.\w+)?$|^GenerateSecretString$/.test(path)
    if (!isNested || one === undefined || other === undefined) return [path]
    const [left, right] = [byName(one), byName(other)]
    return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) =>
      differences(left[key], right[key], path ? `${path}.${key}` : key),
    )
  }

  function byName(value: Json): Json {
    return Array.isArray(value) ? Object.fromEntries(value.map((each: Json) => [each.Name ?? each, each])) : value
  }
})

describe('local', () => {
  test('has no network and no Aurora', () => {
    expect(local.resources.filter(({ type }) => /^AWS::(EC2|RDS)::/.test(type))).toEqual([])
  })
})

describe.each(onAws)('%s', (name, stage) => {
  test('is looked up nowhere, and CDK warns of nothing', () => {
    expect(stage.missing).toBeUndefined()
    expect(Annotations.fromStack(stage.stack).findWarning('*', Match.anyValue())).toEqual([])
    expect(Annotations.fromStack(stage.stack).findError('*', Match.anyValue())).toEqual([])
  })

  test('waits 55 s for a batch', () => {
    const windows = stage
      .ofType('AWS::Lambda::EventSourceMapping')
      .map(({ properties }) => properties.MaximumBatchingWindowInSeconds)

    expect(windows).toEqual([55, 55])
  })

  test('runs in its network whatever connects to the database, and nothing else', () => {
    const inNetwork = stage.resources.filter(({ properties }) => properties.VpcConfig !== undefined)
    const clients = stage.at('Network/Clients').id

    expect(inNetwork.map(({ path }) => path).sort()).toEqual([...connecting, ...builds].sort())
    for (const { properties } of inNetwork)
      expect(properties.VpcConfig.SecurityGroupIds.map(targetOf)).toEqual([clients])
  })

  test('migrates when the database can be reached, before anything reads or writes it', () => {
    const trigger = stage.onlyOne('Custom::Trigger')
    const before = stage.prerequisitesOf(trigger)
    const needed = stage.resources.filter(({ path, type }) => {
      return /^(Aurora|Network)\//.test(path) && !/^AWS::SecretsManager::ResourcePolicy/.test(type)
    })

    expect(needed.filter(({ id }) => !before.has(id)).map(({ path }) => path)).toEqual([])
    for (const path of connecting)
      expect(stage.prerequisitesOf(stage.at(path, 'AWS::Lambda::Function'))).toContain(trigger.id)
  })

  test('tags app, stage and owner on all that can have tags', () => {
    const types = new Set(
      stage.stack.node
        .findAll()
        .filter((construct) => CfnResource.isCfnResource(construct))
        .filter((resource) => TagManager.isTaggable(resource))
        .map((resource) => resource.cfnResourceType),
    )
    const untagged = stage.resources.filter(({ type, properties }) => {
      const tags = Array.isArray(properties.Tags)
        ? Object.fromEntries(properties.Tags.map(({ Key, Value }: Json) => [Key, Value]))
        : (properties.Tags ?? {})
      return types.has(type) && !(tags.app === 'sluice' && tags.stage === name && tags.owner === 'data-platform')
    })

    // CDK makes these as bare resources, to which tags do not reach. They exist to deploy and cost nothing.
    expect(untagged.map(({ path }) => path).filter((path) => !/CustomResourceProvider\//.test(path))).toEqual([])
  })
})

describe('every stage', () => {
  /** Whoever changes one of these loses what is in it: its resource is replaced. */
  const stateful: Record<string, string> = {
    'Landing/Bucket': 'LandingBucket6D60388F',
    'Landing/Queue': 'LandingQueueDC665654',
    'Landing/ReplayQueue': 'LandingReplayQueueB6AA2080',
    'Landing/DeadLetterQueue': 'LandingDeadLetterQueueEE1EFC31',
    'Notices/Pages': 'NoticesPagesC6ACA790',
    'Notices/Topic': 'NoticesTopic898AF2CD',
    'Database/IngestSecret': 'DatabaseIngestSecretEEB5FBFB',
    'Database/TransformSecret': 'DatabaseTransformSecret7932AA0E',
    'Database/MaintenanceSecret': 'DatabaseMaintenanceSecretC8895782',
    'Database/InspectionSecret': 'DatabaseInspectionSecret5A207EED',
    'Database/ReaderSecret': 'DatabaseReaderSecretE0C0B0A4',
    'Database/ErasureSecret': 'DatabaseErasureSecret70E46911',
    'Migration/BuildLog': 'MigrationBuildLogF38A46F3',
    'Migration/StartBuildLog': 'MigrationStartBuildLogFA2574FD',
    'Transform/Builds': 'TransformBuilds0B722C38',
    'Transform/ProjectLog': 'TransformProjectLog9E6897DB',
    'Orchestration/QuarantineFilesLog': 'OrchestrationQuarantineFilesLog63989EBA',
    'Orchestration/CollectDeadLettersLog': 'OrchestrationCollectDeadLettersLogA82B321E',
    'Orchestration/ClaimDeadLettersLog': 'OrchestrationClaimDeadLettersLogBAB4C115',
    'Orchestration/ClaimTransformLog': 'OrchestrationClaimTransformLogB747034E',
    'Orchestration/LoadFileLog': 'OrchestrationLoadFileLog1269C90A',
    'Orchestration/ReplayFilesLog': 'OrchestrationReplayFilesLog47B30034',
    'Orchestration/ReconcileFilesLog': 'OrchestrationReconcileFilesLog11F03200',
    'Orchestration/SweepLog': 'OrchestrationSweepLog70BC6CF7',
    'Orchestration/PipelineLog': 'OrchestrationPipelineLogD0C74BA4',
    'Ingestion/IngestLog': 'IngestionIngestLog52BAA8A0',
    'Inspection/ReadLedgerLog': 'InspectionReadLedgerLog9201FFEC',
    'Erasure/EraseFileLog': 'ErasureEraseFileLog943C45AD',
  }
  const statefulOnAws: Record<string, string> = {
    ...stateful,
    'Network/FlowLog': 'NetworkFlowLog1F1901E0',
    'Aurora/Cluster': 'AuroraClusterD4EFE71C',
    'Aurora/Cluster/Writer': 'AuroraClusterWriter398336D3',
    'Rotation/ingest-log': 'Rotationingestlog2C43C470',
    'Rotation/transform-log': 'RotationtransformlogB239BE84',
    'Rotation/maintenance-log': 'Rotationmaintenancelog7ABB2419',
    'Rotation/inspection-log': 'RotationinspectionlogA49B2521',
    'Rotation/reader-log': 'RotationreaderlogBA75170F',
    'Rotation/erasure-log': 'Rotationerasurelog911B052D',
    'Rotation/admin-log': 'RotationadminlogE935B062',
  }
  const statefulByStage: Record<string, Record<string, string>> = {
    local: { ...stateful, 'LocalServer/AdminSecret': 'LocalServerAdminSecret70AEDE83' },
    dev: {
      ...statefulOnAws,
      'Aurora/Cluster/Secret': 'SluicedevAuroraClusterSecret2F8817123fdaad7efa858a3daf9490cf0a702aeb',
    },
    prod: {
      ...statefulOnAws,
      'Aurora/Cluster/Reader': 'AuroraClusterReaderDE322A60',
      'Aurora/Cluster/Secret': 'SluiceprodAuroraClusterSecretA64A32E23fdaad7efa858a3daf9490cf0a702aeb',
    },
  }
  const statefulTypes =
    /^AWS::(S3::Bucket|SQS::Queue|SNS::Topic|Logs::LogGroup|SecretsManager::Secret|RDS::DB(Cluster|Instance))$/

  test.each(all)('keeps the logical ids of what holds something: %s', (name, stage) => {
    const found = stage.resources.filter(({ type }) => statefulTypes.test(type))

    expect(Object.fromEntries(found.map(({ path, id }) => [path, id]))).toEqual(statefulByStage[name])
  })

  test.each(all)(
    'names queues, and logs after what writes them, and nothing else that holds something: %s',
    (name, stage) => {
      const names = stage.resources
        .filter(({ type }) => statefulTypes.test(type))
        .flatMap(({ type, path, properties }) =>
          [
            'BucketName',
            'QueueName',
            'TopicName',
            'LogGroupName',
            'Name',
            'DBClusterIdentifier',
            'DBInstanceIdentifier',
          ]
            .filter((property) => typeof properties[property] === 'string')
            .map((property) => ({ type: type.split('::')[2], path, name: properties[property] })),
        )

      for (const { type, name: given } of names) {
        expect(['Queue', 'Topic', 'LogGroup']).toContain(type)
        expect(given).toMatch(new RegExp(`^(/aws/(lambda|codebuild|vendedlogs/states)/)?sluice-${name}-[a-z-]+$`))
      }
    },
  )

  test.each(all)('is in the names of queues, functions, builds, alarms and the state machine: %s', (name, stage) => {
    const property: Record<string, string> = {
      'AWS::SQS::Queue': 'QueueName',
      'AWS::SNS::Topic': 'TopicName',
      'AWS::Lambda::Function': 'FunctionName',
      'AWS::CodeBuild::Project': 'Name',
      'AWS::CloudWatch::Alarm': 'AlarmName',
      'AWS::StepFunctions::StateMachine': 'StateMachineName',
    }
    const ofCdk = /^(AWSCDK\.|Custom::|BucketNotificationsHandler|LogRetention)/
    const misnamed = stage.resources
      .filter(({ type, path }) => property[type] !== undefined && !ofCdk.test(path))
      .filter(({ type, properties }) => !String(properties[property[type] ?? '']).startsWith(`sluice-${name}-`))

    expect(misnamed.map(({ path }) => path)).toEqual([])
  })

  test('is told in another literal', () => {
    expect(Object.entries(stages).map(([name, { stage }]) => [name, stage])).toEqual(
      ['local', 'dev', 'prod'].map((name) => [name, name]),
    )
  })
})

describe('what a stage reserves and starts', () => {
  const reservedIn = ({ ofType }: Synthesized): number[] =>
    ofType('AWS::Lambda::Function').flatMap(({ properties }) => properties.ReservedConcurrentExecutions ?? [])
  const clockOf = ({ ofType }: Synthesized): string[] =>
    ofType('AWS::Scheduler::Schedule').map(({ properties }) => properties.State)

  test('is nothing on dev, where an account may run ten functions in all', () => {
    const wanted = dev
      .ofType('AWS::Lambda::EventSourceMapping')
      .map(({ properties }) => properties.ScalingConfig.MaximumConcurrency)

    expect(reservedIn(dev)).toEqual([])
    expect(wanted).toEqual([2, 2])
    expect(clockOf(dev)).toEqual(['DISABLED', 'DISABLED', 'DISABLED'])
  })

  test('is on prod what infra/app.ts says', () => {
    expect(reservedIn(prod).reduce((total, each) => total + each)).toBe(32)
    expect(clockOf(prod)).toEqual(['ENABLED', 'ENABLED', 'ENABLED'])
    expect(prod.stack.terminationProtection).toBe(true)
  })
})

describe('a bucket that is there', () => {
  const found = synthesize({ ...stageOf('prod'), landingBucketName: 'landing-of-ours' })
  const notifications = found.onlyOne('Custom::S3BucketNotifications').properties

  test('is neither made nor changed, but for the notification', () => {
    const buckets = found.ofType('AWS::S3::Bucket').map(({ path }) => path)
    const policies = found.ofType('AWS::S3::BucketPolicy').map(({ path }) => path)

    expect([buckets, policies]).toEqual([['Transform/Builds'], ['Transform/Builds/Policy']])
    expect(notifications).toMatchObject({ BucketName: 'landing-of-ours', Managed: false })
  })

  test('may be read by whoever reads a bucket of ours', () => {
    const statements = (path: string): string =>
      JSON.stringify(found.at(`${path}/ServiceRole/DefaultPolicy`).properties.PolicyDocument)

    for (const path of ['Ingestion/Ingest', 'Orchestration/LoadFile', 'Orchestration/ReplayFiles'])
      expect(statements(path)).toContain(':s3:::landing-of-ours/input/*')
    expect(statements('Orchestration/QuarantineFiles')).toContain(':s3:::landing-of-ours/quarantine/*')
  })

  test('keeps its other notifications when ours is made, changed and taken away', () => {
    const queue = (arn: string, prefix: string): Json => ({
      QueueArn: arn,
      Events: ['s3:ObjectCreated:*'],
      Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: prefix }] } },
    })
    const [ours, changed] = [queue('ours', 'input/'), queue('changed', 'input/')]
    const theirs = { Id: 'theirs', ...queue('theirs', 'exports/') }
    const arns = (configuration: Json): string[] =>
      configuration.QueueConfigurations.map(({ QueueArn }: Json) => QueueArn).sort()

    const made = handled('Create', [theirs], [ours], [])
    const updated = handled('Update', made.QueueConfigurations, [changed], [ours])
    const removed = handled('Delete', made.QueueConfigurations, [ours], [])

    expect([made, updated, removed].map(arns)).toEqual([['ours', 'theirs'], ['changed', 'theirs'], ['theirs']])
  })

  /** What CDK's own handler would write, given what the bucket has, what the template says, and what it said before. */
  function handled(requestType: string, existing: Json[], incoming: Json[], old: Json[]): Json {
    const folder = join(
      import.meta.dirname,
      '../../node_modules/aws-cdk-lib/custom-resource-handlers/dist/aws-s3/notifications-resource-handler',
    )
    const program = `
import json, sys, types
given = json.load(sys.stdin)
class S3:
    def get_bucket_notification_configuration(self, Bucket):
        return {'QueueConfigurations': given['existing']}
sys.modules['boto3'] = types.SimpleNamespace(client=lambda name: S3())
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import index
print(json.dumps(index.handle_unmanaged('bucket', 'stack', given['requestType'],
    {'QueueConfigurations': given['incoming']}, {'QueueConfigurations': given['old']})))`
    const answer = execFileSync('python3', ['-c', program, folder], {
      input: JSON.stringify({ requestType, existing, incoming, old }),
      encoding: 'utf8',
    })
    return JSON.parse(answer)
  }
})
