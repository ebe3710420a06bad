import { readFileSync } from 'node:fs'
import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { type GithubAccessProps, GithubAccessStack } from '../../infra/github-access-stack.ts'
import { ofType as resourcesOfPipeline } from './synthesized.ts'

const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'))
const env = { account: '111122223333', region: 'eu-central-1' }

type Json = ReturnType<Template['toJSON']>

function synthesize(props: Partial<GithubAccessProps> = {}): Template {
  const stack = new GithubAccessStack(new App({ context }), 'Access', {
    ...{ env, stage: 'dev', repository: 'octo/sluice' },
    ...props,
  })
  return Template.fromStack(stack)
}

const template = synthesize()

function only(of: Template, type: string): Json {
  const found = Object.values<Json>(of.findResources(type))
  expect(found).toHaveLength(1)
  return found[0] ?? {}
}

function roleOf(name: string, of = template): Json {
  const found = Object.values<Json>(of.findResources('AWS::IAM::Role')).find(
    ({ Properties }) => Properties.RoleName === `sluice-dev-github-${name}`,
  )
  return found?.Properties
}

const trustOf = (role: Json) => role.AssumeRolePolicyDocument.Statement

const asArray = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])

/** Actions by resource. The partition is the only thing that the template leaves open. */
function permissionsOf(role: Json): Record<string, string[]> {
  const granted: Record<string, string[]> = {}
  for (const { PolicyDocument } of role.Policies) {
    for (const { Effect, Action, Resource } of PolicyDocument.Statement) {
      expect(Effect).toBe('Allow')
      for (const resource of asArray<string | Json>(Resource).map(readable))
        granted[resource] = [...(granted[resource] ?? []), ...asArray<string>(Action)].sort()
    }
  }
  return granted
}

function readable(value: string | Json): string {
  if (typeof value === 'string') return value
  const parts: (string | { Ref: string })[] = value['Fn::Join'][1]
  return parts.map((part) => (typeof part === 'string' ? part : part.Ref.replace('AWS::Partition', 'aws'))).join('')
}

const here = '111122223333'
const pipeline = `arn:aws:states:eu-central-1:${here}:stateMachine:sluice-dev-pipeline`
const transforming = {
  '*': ['states:ListStateMachines'],
  [pipeline]: ['states:StartExecution'],
  [`arn:aws:states:eu-central-1:${here}:execution:sluice-dev-pipeline:*`]: ['states:DescribeExecution'],
  [`arn:aws:lambda:eu-central-1:${here}:function:sluice-dev-read-ledger`]: ['lambda:InvokeFunction'],
}

describe("GitHub's provider", () => {
  test('is made for AWS as the audience, and outlives the stack', () => {
    const provider = only(template, 'AWS::IAM::OIDCProvider')
    expect(provider.Properties).toMatchObject({
      Url: 'https://token.actions.githubusercontent.com',
      ClientIdList: ['sts.amazonaws.com'],
    })
    expect(provider.DeletionPolicy).toBe('Retain')
  })

  test('is the one of the account, when there is one', () => {
    const providerArn = `arn:aws:iam::${here}:oidc-provider/token.actions.githubusercontent.com`
    const other = synthesize({ providerArn })
    other.resourceCountIs('AWS::IAM::OIDCProvider', 0)
    expect(trustOf(roleOf('deploy', other))[0].Principal).toEqual({ Federated: providerArn })
  })
})

describe('a role', () => {
  test('is one of three, each an hour at most', () => {
    const roles = Object.values<Json>(template.findResources('AWS::IAM::Role')).map(({ Properties }) => Properties)
    expect(roles.map(({ RoleName }) => RoleName).sort()).toEqual(
      ['deploy', 'plan', 'transform'].map((name) => `sluice-dev-github-${name}`),
    )
    expect(roles.map(({ MaxSessionDuration }) => MaxSessionDuration)).toEqual([3600, 3600, 3600])
    expect(roles.flatMap(({ ManagedPolicyArns = [] }) => ManagedPolicyArns)).toEqual([])
    template.resourceCountIs('AWS::IAM::Policy', 0)
  })

  test.each([
    ['plan', 'dev-plan'],
    ['deploy', 'dev'],
    ['transform', 'dev-transform'],
  ])('%s is for the environment %s of the repository, and nobody else', (name, environment) => {
    const [statement, ...others] = trustOf(roleOf(name))
    expect(others).toEqual([])
    expect(statement).toEqual({
      Effect: 'Allow',
      Action: 'sts:AssumeRoleWithWebIdentity',
      Principal: { Federated: { Ref: expect.stringMatching(/^Provider/) } },
      Condition: {
        StringEquals: {
          'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
          'token.actions.githubusercontent.com:sub': `repo:octo/sluice:environment:${environment}`,
        },
      },
    })
  })

  test('knows a repository by its ids too', () => {
    const [statement] = trustOf(roleOf('deploy', synthesize({ repository: 'octo@12/sluice@34' })))
    expect(statement.Condition.StringEquals).toMatchObject({
      'token.actions.githubusercontent.com:sub': 'repo:octo@12/sluice@34:environment:dev',
    })
  })
})

describe('the roles', () => {
  test('plan may read the template of its stage, nothing else: no secret and no data', () => {
    expect(permissionsOf(roleOf('plan'))).toEqual({
      [`arn:aws:cloudformation:eu-central-1:${here}:stack/Sluice-dev/*`]: [
        'cloudformation:DescribeStacks',
        'cloudformation:GetTemplate',
      ],
    })
  })

  test("deploy may assume CDK's roles, put an order, start the transform and ask for the status, nothing else", () => {
    const cdk = (role: string) => `arn:aws:iam::${here}:role/cdk-hnb659fds-${role}-role-${here}-eu-central-1`
    expect(permissionsOf(roleOf('deploy'))).toEqual({
      ...transforming,
      [cdk('deploy')]: ['sts:AssumeRole'],
      [cdk('file-publishing')]: ['sts:AssumeRole'],
      [cdk('lookup')]: ['sts:AssumeRole'],
      'arn:aws:s3:::sluice-dev-landing*/input/orders/*': ['s3:PutObject'],
      [pipeline]: ['states:ListExecutions', 'states:StartExecution'],
      [`arn:aws:sqs:eu-central-1:${here}:sluice-dev-ingest`]: ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
      [`arn:aws:sqs:eu-central-1:${here}:sluice-dev-dead-letters`]: ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
    })
  })

  test('deploy may put an order into the bucket that the stage was given', () => {
    const role = roleOf('deploy', synthesize({ landingBucketName: 'acme-files' }))
    expect(permissionsOf(role)).toHaveProperty(['arn:aws:s3:::acme-files/input/orders/*'], ['s3:PutObject'])
  })

  test('transform may start the transform and see how it ends, nothing else', () => {
    expect(permissionsOf(roleOf('transform'))).toEqual(transforming)
  })

  test('name what the pipeline is called: its state machine, its queues and the function that reads the ledger', () => {
    const names = ['AWS::StepFunctions::StateMachine', 'AWS::SQS::Queue', 'AWS::Lambda::Function'].flatMap((type) =>
      resourcesOfPipeline(type).map(
        ({ properties }) => properties.StateMachineName ?? properties.QueueName ?? properties.FunctionName,
      ),
    )
    const named = ['pipeline', 'ingest', 'dead-letters', 'read-ledger']
    expect(names).toEqual(expect.arrayContaining(named.map((name) => `sluice-local-${name}`)))
    // CloudFormation begins the bucket's name with the stack's and the resource's, in small letters.
    expect(resourcesOfPipeline('AWS::S3::Bucket').map(({ id }) => id.toLowerCase())).toContainEqual(
      expect.stringMatching(/^landing/),
    )
  })
})
