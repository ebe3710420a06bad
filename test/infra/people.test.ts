import { describe, expect, test } from 'vitest'
import { type Call, denied, type Grant, grantsOf } from './policies.ts'
import { at, type Resource, readable } from './synthesized.ts'

const EXECUTION = 'arn:aws:states:us-east-1:000000000000:execution:Orchestration/Pipeline:batch-1'

function grantsOfPolicy(path: string): Grant[] {
  const { Statement } = at(path).properties.PolicyDocument
  return Statement.flatMap((statement: Resource['properties']) => {
    const resources = [statement.Resource].flat().map((resource) => ({ arn: readable(resource), readable: '' }))
    return grantsOf(path, { Effect: statement.Effect, Action: statement.Action, Resource: resources })
  })
}

/** `action on resource`, as calls by the policy's holder. */
const calls = (role: string, ...texts: string[]): Call[] =>
  texts.map((text) => {
    const [action = '', resource = ''] = text.split(' on ')
    return { role, action, resource: resource.replace('EXECUTION', EXECUTION) }
  })

/** What the commands of the command line call, as the README lists it. */
const VIEW = [
  'lambda:InvokeFunction on Inspection/ReadLedger',
  ...['sqs:GetQueueUrl on Landing/Queue', 'sqs:GetQueueAttributes on Landing/Queue'],
  ...['sqs:GetQueueUrl on Landing/DeadLetterQueue', 'sqs:GetQueueAttributes on Landing/DeadLetterQueue'],
  ...['states:ListStateMachines on any', 'states:ListExecutions on Orchestration/Pipeline'],
  ...['states:DescribeExecution on EXECUTION', 'states:GetExecutionHistory on EXECUTION'],
]
const OPERATE = [
  ...['Orchestration/ReplayFiles', 'Orchestration/ReconcileFiles', 'Erasure/EraseFile'].map(
    (path) => `lambda:InvokeFunction on ${path}`,
  ),
  ...['states:StartExecution on Orchestration/Pipeline', 'states:RedriveExecution on EXECUTION'],
  ...['s3:PutObject on Landing/Bucket/input/orders/1.json', 's3:ListBucket on Landing/Bucket'],
  ...['s3:GetObject on Landing/Bucket/input/orders/1.json', 's3:GetObject on Landing/Bucket/quarantine/orders/1.json'],
]
const NEVER = [
  ...[
    's3:DeleteObject on Landing/Bucket/input/orders/1.json',
    's3:DeleteObjectVersion on Landing/Bucket/input/orders/1.json',
    's3:PutObject on Landing/Bucket/quarantine/orders/1.json',
  ],
  ...['sqs:DeleteMessage on Landing/DeadLetterQueue', 'sqs:ReceiveMessage on Landing/DeadLetterQueue'],
  ...['lambda:InvokeFunction on Orchestration/Sweep', 'lambda:InvokeFunction on Ingestion/Ingest'],
  'secretsmanager:GetSecretValue on Database/MaintenanceSecret',
  'codebuild:StartBuild on Transform/Project',
]

describe('a viewer', () => {
  const grants = grantsOfPolicy('People/Viewer')

  test('may do all that looking takes', () => {
    expect(denied(grants, calls('People/Viewer', ...VIEW))).toEqual([])
  })

  test('may change nothing, and read no file', () => {
    const others = calls('People/Viewer', ...OPERATE, ...NEVER)
    expect(denied(grants, others)).toEqual(others)
  })
})

describe('an operator', () => {
  const grants = grantsOfPolicy('People/Operator')

  test('may do all that the command line does', () => {
    expect(denied(grants, calls('People/Operator', ...VIEW, ...OPERATE))).toEqual([])
  })

  test('may delete nothing himself, read no secret, and go no other way', () => {
    const others = calls('People/Operator', ...NEVER)
    expect(denied(grants, others)).toEqual(others)
  })
})
