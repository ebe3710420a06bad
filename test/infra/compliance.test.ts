import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, Stack, Validations } from 'aws-cdk-lib'
import { AccountRootPrincipal, Policy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam'
import { Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Acknowledgement, acknowledged } from '../../infra/checks/acknowledged.ts'
import { Compliance, type Finding, findingsIn, stale, unexplained } from '../../infra/checks/findings.ts'
import { secretsIn } from '../../infra/checks/secrets.ts'

/** A stack with a queue that nothing stands behind and that may be reached without TLS. */
function careless(app = new App()): Stack {
  const stack = new Stack(app, 'Sluice-test', { env: { account: '111122223333', region: 'eu-west-1' } })
  new Queue(stack, 'Queue')
  return stack
}

const rulesOf = (findings: readonly Finding[]): string[] => findings.map(({ rule }) => rule).sort()

describe('a finding', () => {
  const findings = findingsIn(careless().node.root)

  test('says its rule, stack and construct', () => {
    expect(rulesOf(findings)).toEqual(['AwsSolutions-SQS3', 'AwsSolutions-SQS4', 'Serverless-SQSRedrivePolicy'])
    expect(findings.map(({ stack, path }) => [stack, path])).toEqual(
      findings.map(() => ['Sluice-test', 'Queue/Resource']),
    )
  })

  test('is not explained by a reason for another construct, stack, part or rule', () => {
    const [{ rule = '' } = {}] = findings
    const others: Acknowledgement[] = [
      { rules: [rule], at: ['Que'], reason: '' },
      { rules: [rule], at: ['Queue/Other'], reason: '' },
      { rules: [rule], stacks: ['Sluice-prod'], at: ['Queue'], reason: '' },
      { rules: [rule], at: ['Queue'], details: ['Resource::*'], reason: '' },
      { rules: ['AwsSolutions-S1'], at: [''], reason: '' },
    ]

    expect(unexplained(findings, others)).toEqual(findings)
    expect(stale(findings, others)).toHaveLength(others.length)
  })

  test('is explained by a reason for its construct, and others of it are not', () => {
    const reasons: Acknowledgement[] = [{ rules: ['AwsSolutions-SQS4'], at: ['Queue'], reason: '' }]

    expect(rulesOf(unexplained(findings, reasons))).toEqual(['AwsSolutions-SQS3', 'Serverless-SQSRedrivePolicy'])
    expect(stale(findings, reasons)).toEqual([])
  })

  test('that is gone makes its reason stale, part by part', () => {
    const rules = ['AwsSolutions-SQS4', 'AwsSolutions-SQS3']
    const reasons: Acknowledgement[] = [
      { rules, stacks: ['Sluice-test', 'Sluice-old'], at: ['Queue', 'Gone'], reason: '' },
    ]
    const mended = findings.filter(({ rule }) => rule !== 'AwsSolutions-SQS3')

    expect(stale(mended, reasons)).toEqual([
      'AwsSolutions-SQS3',
      'AwsSolutions-SQS4, AwsSolutions-SQS3: Sluice-old',
      'AwsSolutions-SQS4, AwsSolutions-SQS3: Gone',
    ])
  })

  test('names what it means by paths, and by neither account nor region', () => {
    const app = new App()
    const stack = new Stack(app, 'Sluice-test', { env: { account: '111122223333', region: 'eu-west-1' } })
    const bucket = new Bucket(stack, 'Files', { encryption: BucketEncryption.S3_MANAGED, enforceSSL: true })
    const details = findingsIn(app).flatMap(({ detail }) => detail ?? [])
    expect(details).toEqual([])

    bucket.grantRead(new Role(stack, 'Reader', { assumedBy: new AccountRootPrincipal() }))
    const queues = stack.formatArn({ service: 'sqs', resource: 'sluice-test-*' })
    new Policy(stack, 'Queues', {
      force: true,
      users: [],
      roles: [new Role(stack, 'Sender', { assumedBy: new AccountRootPrincipal() })],
      statements: [new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queues] })],
    })

    expect(findingsIn(app).flatMap(({ detail }) => detail ?? [])).toEqual(
      expect.arrayContaining([
        'Resource::<Files.Arn>/*',
        'Resource::arn:<partition>:sqs:<region>:<account>:sluice-<stage>-*',
      ]),
    )
  })
})

describe('a synthesis', () => {
  test('fails when a finding has no reason, and says which', () => {
    const outdir = mkdtempSync(join(tmpdir(), 'sluice-compliance-'))
    onTestFinished(() => rmSync(outdir, { recursive: true }))
    // CDK's own rules take seconds, and find nothing here.
    vi.stubEnv('CDK_VALIDATION', 'false')
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const app = new App({ outdir })
    careless(app)
    Validations.of(app).addPlugins(new Compliance())

    expect(() => app.synth()).toThrow(/AwsSolutions-SQS4[\s\S]*Serverless-SQSRedrivePolicy/)
  })
})

test('every reason is more than a word', () => {
  expect(acknowledged.filter(({ reason }) => reason.split(' ').length < 10)).toEqual([])
})

describe('a secret', () => {
  // Put together here, or this file would be found itself.
  const planted = {
    'an AWS secret key': `aws_secret_access_key = "${['wJalrXUtnFEMI', 'K7MDENG', 'bPxRfiCYzzzzzzzKEY'].join('/')}"`,
    'the id of an AWS key': `${'AKIA'}QYLPMN5HHHFPZAM2`,
    'a private key': [
      '-----BEGIN RSA PRIVATE',
      ' KEY-----\n',
      'MIIEpAIBAAKCAQEA'.repeat(8),
      '\n-----END RSA PRIVATE',
      ' KEY-----',
    ].join(''),
    'a token of GitHub': `${'ghp_'}wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx`,
    'a connection string': ['postgres:/', 'sluice:hunter2-and-more@db.example.org', 'sluice'].join('/'),
  }

  test.each(Object.entries(planted))('is found: %s, and not shown', async (_, secret) => {
    const found = await secretsIn('notes.md', `first line\n${secret}\n`)

    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^notes\.md:2: /)
    expect(found[0]).not.toContain(secret.slice(-12))
  })

  const exempted = (comment: string) =>
    secretsIn('notes.ts', `// ${comment}\nconst id = '${planted['the id of an AWS key']}'\n`)
  const directive = ['secretlint', 'disable-next-line'].join('-')

  test('that is none is exempt by its rule and a reason', async () => {
    expect(await exempted(`${directive} @secretlint/secretlint-rule-aws -- AWS's own example`)).toEqual([])
  })

  test.each([directive, `${directive} @secretlint/secretlint-rule-aws`, ['secretlint', 'disable'].join('-')])(
    'is not exempt by "%s"',
    async (comment) => {
      expect(await exempted(comment)).not.toEqual([])
    },
  )
})
