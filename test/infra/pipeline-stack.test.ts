import { readFileSync } from 'node:fs'
import { CfnResource, TagManager } from 'aws-cdk-lib'
import { describe, expect, test } from 'vitest'
import { SluiceFunction } from '../../infra/sluice-function.ts'
import { at, ofType, onlyOne, parameters, type Resource, readable, resources, stack, targetOf } from './synthesized.ts'

/** Where the limits of the server are. */
const ROLES = new URL('../../db/migrations/0004_roles.sql', import.meta.url)

const queues = ofType('AWS::SQS::Queue')
const buckets = ofType('AWS::S3::Bucket')
const mappings = ofType('AWS::Lambda::EventSourceMapping')
const byId = (id: string | undefined): Resource => {
  const found = resources.find((resource) => resource.id === id)
  if (found === undefined) throw new Error(`No resource ${id}`)
  return found
}

const deadLetterQueueOf = ({ properties }: Resource): Resource =>
  byId(targetOf(properties.RedrivePolicy?.deadLetterTargetArn))
const deadLetterQueues = queues.filter(({ properties }) => properties.RedrivePolicy).map(deadLetterQueueOf)
const workQueues = queues.filter((queue) => !deadLetterQueues.includes(queue))

/** The functions that run our code. The others are CDK's, and listed in a test of their own. */
const functions = stack.node
  .findAll()
  .filter((construct) => construct instanceof SluiceFunction)
  .map(({ node }) => at(node.path.replace(`${stack.node.path}/`, ''), 'AWS::Lambda::Function'))

/** What the policy of a queue or a bucket says to whoever comes without TLS. */
function denialWithoutTls(policyType: string, holder: Resource): Resource['properties'] {
  const policy = ofType(policyType).find(({ properties: { Bucket, Queues = [Bucket] } }) =>
    Queues.some((each: Resource['properties']) => targetOf(each) === holder.id),
  )
  return policy?.properties.PolicyDocument.Statement.find(
    ({ Condition }: Resource['properties']) => Condition?.Bool?.['aws:SecureTransport'] === 'false',
  )
}

describe('queues', () => {
  test.each(queues)('$path has a dead-letter queue, or is one', (queue) => {
    expect(queue.properties.RedrivePolicy !== undefined).toBe(!deadLetterQueues.includes(queue))
  })

  test('are a queue for each mapping and the dead-letter queues behind them, no other', () => {
    const fed = mappings.map(({ properties }) => byId(targetOf(properties.EventSourceArn)).path)

    expect(workQueues.map(({ path }) => path)).toEqual(fed)
    expect(new Set(deadLetterQueues.map(({ path }) => path))).toEqual(new Set(['Landing/DeadLetterQueue']))
  })

  test.each(workQueues)('$path dead-letters nothing for an hour without the database', ({ properties }) => {
    expect(properties.RedrivePolicy.maxReceiveCount).toBe(12)
    expect(properties.RedrivePolicy.maxReceiveCount * properties.VisibilityTimeout).toBeGreaterThan(3_600)
  })

  test.each(queues)('$path takes no message in the clear and keeps none so', (queue) => {
    expect(denialWithoutTls('AWS::SQS::QueuePolicy', queue)).toMatchObject({
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: 'sqs:*',
      Resource: { 'Fn::GetAtt': [queue.id, 'Arn'] },
    })
    expect(queue.properties.SqsManagedSseEnabled).toBe(true)
  })
})

describe('mappings', () => {
  test.each(mappings)('$path gathers a hundred messages or 55 seconds and reports each failure alone', (mapping) => {
    expect(mapping.properties).toMatchObject({
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 55,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    })
  })

  test('give replayed files fewer functions than new ones', () => {
    expect(mappings.map(({ path, properties }) => [path, properties.ScalingConfig.MaximumConcurrency])).toEqual([
      ['Ingestion/IngestQueueMapping', 5],
      ['Ingestion/ReplayQueueMapping', 2],
    ])
  })
})

describe('buckets', () => {
  test.each(buckets)('$path is encrypted, private, TLS only, and outlives the stack', (bucket) => {
    expect(bucket.properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    })
    expect(bucket.definition).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' })
    const arn = { 'Fn::GetAtt': [bucket.id, 'Arn'] }
    expect(denialWithoutTls('AWS::S3::BucketPolicy', bucket)).toMatchObject({
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: 's3:*',
      Resource: [arn, { 'Fn::Join': ['', [arn, '/*']] }],
    })
  })

  test('keep every version where files land, and one where builds leave what can be made again', () => {
    expect(buckets.map(({ path, properties }) => [path, properties.VersioningConfiguration?.Status])).toEqual([
      ['Landing/Bucket', 'Enabled'],
      ['Transform/Builds', undefined],
    ])
    expect(at('Transform/Builds').properties.LifecycleConfiguration.Rules).toMatchObject([{ ExpirationInDays: 30 }])
  })

  test('tell the ingest queue of every .json created under input/, and nobody of anything else', () => {
    const { BucketName, NotificationConfiguration } = onlyOne('Custom::S3BucketNotifications').properties
    const { QueueConfigurations, ...otherDestinations } = NotificationConfiguration
    const [{ Events, Filter, QueueArn }, ...otherQueues] = QueueConfigurations

    expect([otherDestinations, otherQueues]).toEqual([{}, []])
    expect(byId(targetOf(BucketName)).path).toBe('Landing/Bucket')
    expect(byId(targetOf(QueueArn)).path).toBe('Landing/Queue')
    expect(Events).toEqual(['s3:ObjectCreated:*'])
    expect(
      Object.fromEntries(Filter.Key.FilterRules.map((rule: Resource['properties']) => [rule.Name, rule.Value])),
    ).toEqual({ prefix: 'input/', suffix: '.json' })
  })
})

describe('functions', () => {
  /**
   * Of these types a `Ref` is no secret; of a parameter it would be the secret itself. An ARN or the URL of a queue opens
   * nothing: whoever has it still needs the permission.
   */
  const typesByRef = {
    ARN: ['AWS::SecretsManager::Secret', 'AWS::StepFunctions::StateMachine'],
    URL: ['AWS::SQS::Queue'],
    NAME: ['AWS::CodeBuild::Project'],
  }
  /** Told as they are: what they say is no secret. */
  const literals: Record<string, RegExp> = {
    DATABASE_SSL: /^disable$/,
    POWERTOOLS_METRICS_NAMESPACE: /^Sluice$/,
    RAW_RETENTION_DAYS: /^\d+$/,
    SOURCE_HASH: /^[0-9a-f]{64}$/,
    TRANSFORM_INTERVAL_MINUTES: /^\d+$/,
  }

  test('are all ours, but for those that CDK deploys with', () => {
    const others = ofType('AWS::Lambda::Function').filter((resource) => !functions.includes(resource))

    expect(functions.length).toBeGreaterThan(0)
    expect(others.map(({ path }) => path.split('/')[0]?.replace(/[0-9a-f]{32}$/, ''))).toEqual([
      'AWSCDK.TriggerCustomResourceProviderCustomResourceProvider',
      'BucketNotificationsHandler',
    ])
  })

  test.each(functions)('$path runs Node 24 on arm64 and has a timeout', ({ properties }) => {
    expect(properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Timeout: expect.any(Number) })
  })

  test.each(functions)('$path has a log of its own that is cleared in time', ({ id, properties }) => {
    const log = properties.LoggingConfig.LogGroup
    const sharers = functions.filter((other) => targetOf(other.properties.LoggingConfig.LogGroup) === targetOf(log))

    expect(sharers.map((sharer) => sharer.id)).toEqual([id])
    expect(byId(targetOf(log)).properties.RetentionInDays).toBe(30)
  })

  test.each(functions)('$path is told ARNs, URLs of queues, names and numbers, no secret', ({ properties }) => {
    const { POWERTOOLS_SERVICE_NAME, ...others } = properties.Environment.Variables

    expect(POWERTOOLS_SERVICE_NAME).toBe(properties.FunctionName)
    for (const [name, value] of Object.entries<Resource['properties']>(others)) {
      const [, kind] = /_(ARN|URL|NAME)$/.exec(name) ?? []
      if (kind === undefined) expect(value).toMatch(literals[name] ?? /^neither a reference nor listed$/)
      else if (typeof value === 'string') expect(readable(value)).toBe('Orchestration/Pipeline')
      else if ('Ref' in value) expect(typesByRef[kind as keyof typeof typesByRef]).toContain(byId(value.Ref).type)
      else expect(value).toEqual({ 'Fn::GetAtt': [expect.any(String), 'Arn'] })
    }
  })

  const connecting = functions.filter(({ properties }) => 'DATABASE_SECRET_ARN' in properties.Environment.Variables)

  test('that connect to the database are bounded, and so are its connections', () => {
    const unbounded = connecting.filter(({ properties }) => !(properties.ReservedConcurrentExecutions > 0))

    expect(connecting.length).toBeGreaterThan(5)
    expect(unbounded.map(({ path }) => path)).toEqual([])
  })

  test.each(connecting)('$path has more time than the database allows a transaction', ({ properties }) => {
    const [, seconds] = /SET transaction_timeout = ''(\d+)s''/.exec(readFileSync(ROLES, 'utf8')) ?? []

    expect(properties.Timeout).toBeGreaterThan(Number(seconds))
  })

  test('keep every log of the stack for 30 days', () => {
    expect(ofType('AWS::Logs::LogGroup').map(({ properties }) => properties.RetentionInDays)).toEqual(
      ofType('AWS::Logs::LogGroup').map(() => 30),
    )
  })
})

describe('secrets', () => {
  test('that are handed to the deployment are never shown', () => {
    const handed = parameters.filter(({ id }) => id !== 'BootstrapVersion')

    expect(handed.filter(({ definition }) => definition.NoEcho).map(({ id }) => id)).toEqual([
      'LocalDatabaseUser',
      'LocalDatabasePassword',
    ])
    for (const { definition } of handed) expect(definition).not.toHaveProperty('Default')
  })
})

describe('tags', () => {
  /** CDK makes these as bare resources, to which `Tags` does not reach. They exist to deploy and cost nothing. */
  const untagged = /^AWSCDK\.TriggerCustomResourceProviderCustomResourceProvider\//

  test('app and stage are on every resource that can have tags', () => {
    const taggable = stack.node.findAll().filter((construct) => CfnResource.isCfnResource(construct))
    const types = new Set(
      taggable.filter((resource) => TagManager.isTaggable(resource)).map((each) => each.cfnResourceType),
    )
    const missing = resources
      .filter(({ type }) => types.has(type))
      .filter(({ properties }) => {
        const tags = Object.fromEntries(
          (properties.Tags ?? []).map((tag: Resource['properties']) => [tag.Key, tag.Value]),
        )
        return tags.app !== 'sluice' || tags.stage !== 'local'
      })
      .map(({ path }) => path)

    expect(types.size).toBeGreaterThan(5)
    expect(missing.filter((path) => !untagged.test(path))).toEqual([])
    expect(missing).toHaveLength(2)
  })
})
