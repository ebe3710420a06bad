import { describe, expect, test } from 'vitest'
import { covers, managedPoliciesOf, permissionsOf, roleOf, statements } from './permissions.ts'
import { at, ofType } from './synthesized.ts'

const readObjects = ['s3:GetBucket*', 's3:GetObject*', 's3:List*']
const readSecret = ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue']

const receiveMessages = [
  ...['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
  ...['sqs:GetQueueUrl', 'sqs:ReceiveMessage'],
]

const ingest = permissionsOf(roleOf(at('Ingestion/Ingest')))
const quarantineFiles = permissionsOf(roleOf(at('Orchestration/QuarantineFiles')))

describe('ingest', () => {
  test('may read input/ and quarantine/, take from its queues, read its secret and start the pipeline, nothing else', () => {
    expect(ingest).toEqual({
      'Landing/Bucket': readObjects,
      'Landing/Bucket/input/*': readObjects,
      'Landing/Bucket/quarantine/*': readObjects,
      'Landing/Queue': receiveMessages,
      'Landing/ReplayQueue': receiveMessages,
      'Database/IngestSecret': readSecret,
      'Orchestration/Pipeline': ['states:StartExecution'],
    })
  })

  test('may read the exact version that an event names', () => {
    expect(covers(ingest['Landing/Bucket/input/*'] ?? [], 's3:GetObjectVersion')).toBe(true)
    expect(covers(ingest['Landing/Bucket/input/*'] ?? [], 's3:PutObject')).toBe(false)
  })

  test('may list the bucket, or S3 would answer 403 and not 404 when a version is missing', () => {
    expect(covers(ingest['Landing/Bucket'] ?? [], 's3:ListBucket')).toBe(true)
    expect(covers(ingest['Landing/Bucket'] ?? [], 's3:DeleteObject')).toBe(false)
  })
})

describe('quarantine-files', () => {
  test('may read input/, write to quarantine/ and read its secret, nothing else', () => {
    expect(quarantineFiles).toEqual({
      'Landing/Bucket': readObjects,
      'Landing/Bucket/input/*': readObjects,
      'Landing/Bucket/quarantine/*': [
        ...['s3:Abort*', 's3:PutObject', 's3:PutObjectLegalHold', 's3:PutObjectRetention'],
        ...['s3:PutObjectTagging', 's3:PutObjectVersionTagging'],
      ],
      'Database/MaintenanceSecret': readSecret,
    })
  })

  test('may copy the exact version together with its tags, and ask whether it is still there', () => {
    expect(covers(quarantineFiles['Landing/Bucket/input/*'] ?? [], 's3:GetObjectVersion')).toBe(true)
    expect(covers(quarantineFiles['Landing/Bucket/input/*'] ?? [], 's3:GetObjectVersionTagging')).toBe(true)
    expect(covers(quarantineFiles['Landing/Bucket'] ?? [], 's3:ListBucket')).toBe(true)
    expect(covers(quarantineFiles['Landing/Bucket/quarantine/*'] ?? [], 's3:DeleteObject')).toBe(false)
  })
})

describe('the functions of dead letters, transforms, replays and sweeps', () => {
  test.each([
    ['CollectDeadLetters', 'take from the dead-letter queue', { 'Landing/DeadLetterQueue': receiveMessages }],
    ['ClaimDeadLetters', 'do nothing more', {}],
    [
      'ClaimTransform',
      'look for builds of the transform',
      { 'Transform/Project': ['codebuild:BatchGetBuilds', 'codebuild:ListBuildsForProject'] },
    ],
    [
      'LoadFile',
      'read input/ and start the pipeline',
      {
        'Landing/Bucket': readObjects,
        'Landing/Bucket/input/*': readObjects,
        'Orchestration/Pipeline': ['states:StartExecution'],
      },
    ],
    [
      'ReplayFiles',
      'read input/ and quarantine/ and send to the replay queue',
      {
        'Landing/Bucket': readObjects,
        'Landing/Bucket/input/*': readObjects,
        'Landing/Bucket/quarantine/*': readObjects,
        'Landing/ReplayQueue': ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:SendMessage'],
      },
    ],
    [
      'ReconcileFiles',
      'list versions, reading none, and send to the replay queue',
      {
        'Landing/Bucket': ['s3:ListBucketVersions'],
        'Landing/ReplayQueue': ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:SendMessage'],
      },
    ],
    [
      'Sweep',
      'start the pipeline and count dead letters without taking any',
      {
        'Landing/DeadLetterQueue': ['sqs:GetQueueAttributes'],
        'Orchestration/Pipeline': ['states:StartExecution'],
      },
    ],
  ])('%s may read the secret of its role and %s, nothing else', (name, _, besides) => {
    const secret = name === 'LoadFile' ? 'Database/IngestSecret' : 'Database/MaintenanceSecret'
    expect(permissionsOf(roleOf(at(`Orchestration/${name}`)))).toEqual({ [secret]: readSecret, ...besides })
  })
})

describe('what starts the pipeline by itself', () => {
  const starters = ofType('AWS::IAM::Role').filter(({ properties }) =>
    /^(events|scheduler)\./.test(properties.AssumeRolePolicyDocument.Statement[0].Principal.Service),
  )

  test('may do nothing else', () => {
    expect(starters.map(({ path }) => permissionsOf(path))).toEqual([
      { 'Orchestration/Pipeline': ['states:StartExecution'] },
      { 'Orchestration/Pipeline': ['states:StartExecution'] },
    ])
  })
})

describe('read-ledger', () => {
  test('may read its secret, nothing else', () => {
    expect(permissionsOf(roleOf(at('Inspection/ReadLedger')))).toEqual({ 'Database/InspectionSecret': readSecret })
  })
})

describe('erase-file', () => {
  test('may list and delete versions under input/ and quarantine/ and read its secret, nothing else', () => {
    expect(permissionsOf(roleOf(at('Erasure/EraseFile')))).toEqual({
      'Landing/Bucket': ['s3:ListBucketVersions'],
      'Landing/Bucket/input/*': ['s3:DeleteObjectVersion'],
      'Landing/Bucket/quarantine/*': ['s3:DeleteObjectVersion'],
      'Database/ErasureSecret': readSecret,
    })
  })

  test('may list no other prefix', () => {
    const policy = at('Erasure/EraseFile/ServiceRole/DefaultPolicy').properties.PolicyDocument.Statement
    const listing = policy.find(({ Action }: { Action: string }) => Action === 's3:ListBucketVersions')

    expect(listing.Condition).toEqual({ StringLike: { 's3:prefix': ['input/*', 'quarantine/*'] } })
  })
})

describe('every role', () => {
  /** Why a permission names more than one thing. Whoever adds a line says why there is no other way. */
  const wildcards: Record<string, string> = {
    'Ingestion/Ingest/ServiceRole: Landing/Bucket/input/*': 'ours: the keys of files are not known in advance',
    'Ingestion/Ingest/ServiceRole: Landing/Bucket/quarantine/*': 'ours: the keys are made from file ids',
    'Erasure/EraseFile/ServiceRole: Landing/Bucket/input/*': 'ours: the keys of files, as above',
    'Erasure/EraseFile/ServiceRole: Landing/Bucket/quarantine/*': 'ours: the keys of copies, as above',
    'Migration/Project/Role: arn:aws:logs:us-east-1:000000000000:log-group:/aws/codebuild/Migration/Project:*':
      "CDK's: the streams of the project's log",
    'Orchestration/QuarantineFiles/ServiceRole: Landing/Bucket/input/*': 'ours: the keys of files, as above',
    'Orchestration/QuarantineFiles/ServiceRole: Landing/Bucket/quarantine/*': 'ours: the keys of copies, as above',
    'Orchestration/LoadFile/ServiceRole: Landing/Bucket/input/*': 'ours: the keys of files, as above',
    'Orchestration/ReplayFiles/ServiceRole: Landing/Bucket/input/*': 'ours: the keys of files, as above',
    'Orchestration/ReplayFiles/ServiceRole: Landing/Bucket/quarantine/*': 'ours: the keys of copies, as above',
    'Orchestration/Pipeline/Role: *': "CDK's: delivery of logs has no resource-level permissions",
    'Orchestration/Pipeline/Role: Orchestration/QuarantineFiles:*': "CDK's: the function's versions and aliases",
    'Orchestration/Pipeline/Role: Orchestration/CollectDeadLetters:*': "CDK's: versions and aliases, as above",
    'Orchestration/Pipeline/Role: Orchestration/ClaimDeadLetters:*': "CDK's: versions and aliases, as above",
    'Orchestration/Pipeline/Role: Orchestration/ClaimTransform:*': "CDK's: versions and aliases, as above",
    'Orchestration/Pipeline/Role: Orchestration/LoadFile:*': "CDK's: versions and aliases, as above",
    'Orchestration/Pipeline/Role: Orchestration/ReplayFiles:*': "CDK's: versions and aliases, as above",
    'Orchestration/Pipeline/Role: Orchestration/ReconcileFiles:*': "CDK's: versions and aliases, as above",
    'Orchestration/Pipeline/Role: Orchestration/Sweep:*': "CDK's: versions and aliases, as above",
    'Transform/Project/Role: Transform/Builds/*': 'ours: artifacts and the cache, by build',
    'Transform/Project/Role: arn:aws:logs:us-east-1:000000000000:log-group:/aws/codebuild/Transform/Project:*':
      "CDK's: the streams of the project's log",
    'Transform/Project/Role: arn:aws:codebuild:us-east-1:000000000000:report-group/Transform/Project-*':
      "CDK's: report groups are named by the buildspec",
    'AWSCDK.TriggerCustomResourceProviderCustomResourceProvider/Role: Migration/StartBuild:*':
      "CDK's: the trigger calls the function by its version",
  }

  test('names each thing that it may touch, but for the wildcards that are listed with a reason', () => {
    const found = statements.flatMap(({ role, resources }) =>
      resources.filter((resource) => resource.includes('*')).map((resource) => `${role}: ${resource}`),
    )

    expect([...new Set(found)].sort()).toEqual(Object.keys(wildcards).sort())
  })

  test('may not do everything that a service can do', () => {
    const whole = statements.filter(({ actions }) => actions.some((action) => /^(\*|[a-z0-9]+:\*)$/.test(action)))

    expect(whole).toEqual([])
  })

  test.each(ofType('AWS::IAM::Role'))('$path has no policy of AWS but the one for logs', (role) => {
    const isForFunction =
      role.properties.AssumeRolePolicyDocument.Statement[0].Principal.Service === 'lambda.amazonaws.com'

    expect(managedPoliciesOf(role)).toEqual(isForFunction ? ['service-role/AWSLambdaBasicExecutionRole'] : [])
  })
})
