import { execFileSync } from 'node:child_process'
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { copyTree } from '../support/copy-tree.ts'
import { permissionsOf, roleOf } from './permissions.ts'
import {
  at,
  ofType,
  onlyOne,
  prerequisitesOf,
  type Resource,
  readable,
  resources,
  stack,
  targetOf,
} from './synthesized.ts'

const project = at('Migration/Project', 'AWS::CodeBuild::Project')
const startBuild = at('Migration/StartBuild', 'AWS::Lambda::Function')
const trigger = onlyOne('Custom::Trigger')

const secrets = [
  'LocalServer/AdminSecret',
  ...['Ingest', 'Inspection', 'Maintenance', 'Reader', 'Transform', 'Erasure'].map((role) => `Database/${role}Secret`),
]

const assets = `arn:aws:s3:::cdk-hnb659fds-assets-${stack.account}-${stack.region}`

describe('the build', () => {
  test('reads its source from its asset, and its buildspec from its source', () => {
    const { Type, Location, BuildSpec } = project.properties.Source

    expect([Type, BuildSpec]).toEqual(['S3', undefined])
    expect(Location).toMatch(/^cdk-hnb659fds-assets-.*\/[0-9a-f]{64}\.zip$/)
  })

  test('is given the credentials and the passwords to set by reference', () => {
    const { EnvironmentVariables } = project.properties.Environment
    const given = EnvironmentVariables.map(({ Name, Type, Value }: Resource['properties']) => [
      Name,
      Type,
      readable(Value),
    ])

    expect(given).toEqual([
      ['PGHOST', 'SECRETS_MANAGER', 'LocalServer/AdminSecret:host'],
      ['PGPORT', 'SECRETS_MANAGER', 'LocalServer/AdminSecret:port'],
      ['PGDATABASE', 'SECRETS_MANAGER', 'LocalServer/AdminSecret:dbname'],
      ['PGUSER', 'SECRETS_MANAGER', 'LocalServer/AdminSecret:username'],
      ['PGPASSWORD', 'SECRETS_MANAGER', 'LocalServer/AdminSecret:password'],
      ['PGSSLMODE', 'PLAINTEXT', 'disable'],
      ['ROLE_INGEST_PASSWORD', 'SECRETS_MANAGER', 'Database/IngestSecret:password'],
      ['ROLE_INSPECTION_PASSWORD', 'SECRETS_MANAGER', 'Database/InspectionSecret:password'],
      ['ROLE_MAINTENANCE_PASSWORD', 'SECRETS_MANAGER', 'Database/MaintenanceSecret:password'],
      ['ROLE_READER_PASSWORD', 'SECRETS_MANAGER', 'Database/ReaderSecret:password'],
      ['ROLE_TRANSFORM_PASSWORD', 'SECRETS_MANAGER', 'Database/TransformSecret:password'],
      ['ROLE_ERASURE_PASSWORD', 'SECRETS_MANAGER', 'Database/ErasureSecret:password'],
    ])
  })

  test('may read its source and the secrets and write its log, nothing else', () => {
    const { Location } = project.properties.Source
    const key = Location.split('/')[1]
    const ofCdk = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents']
    const readSource = ['s3:GetBucket*', 's3:GetObject*', 's3:List*']
    const log = `arn:aws:logs:${stack.region}:${stack.account}:log-group:/aws/codebuild/Migration/Project`

    expect(permissionsOf(readable(project.properties.ServiceRole))).toEqual({
      [assets]: readSource,
      [`${assets}/${key}`]: readSource,
      ...Object.fromEntries(secrets.map((secret) => [secret, ['secretsmanager:GetSecretValue']])),
      'Migration/BuildLog': ['logs:CreateLogStream', 'logs:PutLogEvents'],
      // The same log by its default name: CDK's, beside that of the group it was given.
      [log]: ofCdk,
      [`${log}:*`]: ofCdk,
    })
  })

  test('ends, and does not wait for ever', () => {
    expect(project.properties).toMatchObject({
      TimeoutInMinutes: 30,
      QueuedTimeoutInMinutes: 5,
      Environment: { ComputeType: 'BUILD_GENERAL1_SMALL', Image: 'aws/codebuild/amazonlinux-x86_64-standard:5.0' },
    })
  })

  test('writes to a log that is cleared in time', () => {
    const { CloudWatchLogs } = project.properties.LogsConfig
    const log = resources.find(({ id }) => id === targetOf(CloudWatchLogs.GroupName))

    expect(CloudWatchLogs.Status).toBe('ENABLED')
    expect(log?.properties).toMatchObject({ LogGroupName: '/aws/codebuild/sluice-local-migrate', RetentionInDays: 30 })
  })
})

describe('start-build', () => {
  test('may start builds of this project, look at them and read their log, nothing else', () => {
    expect(permissionsOf(roleOf(startBuild))).toEqual({
      'Migration/Project': ['codebuild:BatchGetBuilds', 'codebuild:StartBuild'],
      'Migration/BuildLog': ['logs:GetLogEvents'],
      [`arn:aws:logs:${stack.region}:${stack.account}:log-group:Migration/BuildLog`]: ['logs:GetLogEvents'],
    })
  })

  test('waits as long as Lambda lets it, and so does whoever calls it', () => {
    expect(startBuild.properties.Timeout).toBe(900)
    expect(trigger.properties.Timeout).toBe('900000')
  })
})

describe('the trigger', () => {
  test('runs whenever its function has another version, and fails the deployment when it fails', () => {
    expect(trigger.properties).toMatchObject({ ExecuteOnHandlerChange: true, InvocationType: 'RequestResponse' })
  })

  test.each([
    ...ofType('AWS::Lambda::Function').filter(({ path }) =>
      /^(Ingestion|Orchestration|Inspection|Erasure)\//.test(path),
    ),
    ...ofType('AWS::Lambda::EventSourceMapping'),
    ...ofType('AWS::StepFunctions::StateMachine'),
    ...ofType('AWS::Scheduler::Schedule'),
  ])('comes before $path', (resource) => {
    expect(prerequisitesOf(resource)).toContain(trigger.id)
  })

  test('comes when the build can read its source and its secret, and waits for nothing that it comes before', () => {
    const before = [...prerequisitesOf(trigger)].flatMap((id) => resources.find((each) => each.id === id)?.path ?? [])

    expect(before).toEqual(
      expect.arrayContaining([
        ...['Migration/Project', 'Migration/Project/Role', 'Migration/Project/Role/DefaultPolicy', ...secrets],
        ...['Migration/StartBuild', 'Migration/StartBuild/ServiceRole/DefaultPolicy'],
      ]),
    )
    expect(before.filter((path) => /^(Ingestion|Orchestration|Inspection|Erasure|Triggers)/.test(path))).toEqual([])
  })
})

describe('the function has another version', () => {
  /** Prints which source a stack with nothing but the migration has, and the id of the function's version. */
  const program = `
    import { App, Stack } from 'aws-cdk-lib'
    import { Template } from 'aws-cdk-lib/assertions'
    import { Database } from './infra/database.ts'
    import { LocalServer } from './infra/local-server.ts'
    import { Migration } from './infra/migration.ts'
    const stack = new Stack(new App({ outdir: 'cdk.out' }), 'Only')
    const props = { stage: 'local', logRetentionDays: 30, network: undefined }
    const database = new Database(stack, 'Database', { ...props, server: new LocalServer(stack, 'Server') })
    new Migration(stack, 'Migration', { ...props, database })
    const resources = Object.entries(Template.fromStack(stack).toJSON().Resources)
    const [, project] = resources.find(([, { Type }]) => Type === 'AWS::CodeBuild::Project')
    const [version] = resources.find(([, { Type }]) => Type === 'AWS::Lambda::Version')
    console.log(JSON.stringify({ source: project.Properties.Source.Location, version }))`

  let copy: string
  beforeAll(() => {
    copy = copyTree()
  })
  afterAll(() => rmSync(copy, { recursive: true }))

  const synthesize = (): { source: unknown; version: string } =>
    JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', program], {
        ...{ cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      }),
    )

  test('when a migration or the program has changed, and not when something else has', () => {
    const before = synthesize()
    appendFileSync(join(copy, 'db/status.ts'), '// The program does not use it.')
    appendFileSync(join(copy, 'db/migrations/meta/0000_snapshot.json'), ' ')
    const same = synthesize()
    appendFileSync(join(copy, 'db/migrations/0001_ledger_indexes.sql'), ' ')
    const migrationChanged = synthesize()
    appendFileSync(join(copy, 'db/migrate.ts'), 'console.log()')
    const programChanged = synthesize()

    expect(same).toEqual(before)
    const all = [before, migrationChanged, programChanged]
    expect(new Set(all.map(({ version }) => version)).size).toBe(3)
    expect(new Set(all.map(({ source }) => JSON.stringify(source))).size).toBe(3)
  })
})
