/** The real bundle, as a build of the emulator, started as a deployment starts it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { CodeBuildClient, CreateProjectCommand } from '@aws-sdk/client-codebuild'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { runBuild } from '../../../handlers/start-build/start-build.ts'
import { bundleMigration } from '../../../infra/bundle-migration.ts'
import { awsClients, createDatabaseSecret, createVersionedBucket } from '../../support/aws.ts'
import { createDatabase, ROLE_PASSWORDS } from '../../support/database.ts'
import { addMigration } from '../../support/migrations.ts'

const options = {
  endpoint: inject('awsEndpoint'),
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
}
const { s3, secrets } = awsClients()
const clients = { codebuild: new CodeBuildClient(options), logs: new CloudWatchLogsClient(options) }

let folder: string
let bucket: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-bundle-'))
  bucket = await createVersionedBucket(s3)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A project as the stack has it. Runs a build of it. */
async function migrate(name: string, secretArn: string, change: (migrations: string) => void = () => {}) {
  const bundle = join(folder, name)
  bundleMigration(bundle)
  change(join(bundle, 'migrations'))
  const python = join(import.meta.dirname, '../../../.sluice/venv/bin/python')
  execFileSync(python, ['-m', 'zipfile', '-c', `${bundle}.zip`, '.'], { cwd: bundle })
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${name}.zip`, Body: readFileSync(`${bundle}.zip`) }))
  const fields = { PGHOST: 'host', PGPORT: 'port', PGDATABASE: 'dbname', PGUSER: 'username', PGPASSWORD: 'password' }
  const byReference = Object.entries(fields).map(([variable, field]) => ({
    ...{ name: variable, type: 'SECRETS_MANAGER' as const, value: `${secretArn}:${field}` },
  }))
  const passwords = Object.entries(ROLE_PASSWORDS).map(([name, value]) => ({ name, value }))
  await clients.codebuild.send(
    new CreateProjectCommand({
      name,
      source: { type: 'S3', location: `${bucket}/${name}.zip` },
      artifacts: { type: 'NO_ARTIFACTS' },
      environment: {
        type: 'LINUX_CONTAINER',
        image: 'aws/codebuild/amazonlinux-x86_64-standard:5.0',
        computeType: 'BUILD_GENERAL1_SMALL',
        environmentVariables: [...byReference, ...passwords, { name: 'PGSSLMODE', value: 'disable' }],
      },
      serviceRole: 'arn:aws:iam::000000000000:role/any',
    }),
  )
  return await runBuild(clients, name, name, () => 60_000)
}

test('a build migrates the database of its secret', async () => {
  await using empty = await createDatabase('empty')
  const secretArn = await createDatabaseSecret(secrets, empty.credentials)

  expect(await migrate('good', secretArn)).toEqual({ buildId: expect.stringMatching(/^good:/), status: 'SUCCEEDED' })
  const { rows } = await empty.database.execute(sql`select count(*)::integer as files from ingest.files`)
  expect(rows).toEqual([{ files: 0 }])
})

test('a build that fails is told in its own words', async () => {
  await using migrated = await createDatabase()
  const secretArn = await createDatabaseSecret(secrets, migrated.credentials)
  const failing = migrate('failing', secretArn, (migrations) => {
    addMigration(migrations, '9000_fine', 'create table ingest.fine ()')
    addMigration(migrations, '9001_broken', 'create table ingest.fine ()')
  })

  await expect(failing).rejects.toMatchObject({ name: 'BuildFailed' })
  const message = await failing.then(String, (error: Error) => error.message)
  expect(message).toMatch(/^Build failing:\S+ of project failing: FAILED in phase BUILD\n/)
  expect(message).toMatch(
    /\n {2}9000_fine in \d+ ms\n {2}Not migrated, nothing was changed\. 9001_broken, statement 1 of 1: /,
  )
  expect(message).toContain('ERROR 42P07: relation "fine" already exists\n')
})

test('a build that cannot begin says in which phase, and why', async () => {
  const nowhere = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:nowhere-AbCdEf'

  await expect(migrate('homeless', nowhere)).rejects.toThrow(
    /^Build homeless:\S+ of project homeless: \w+ in phase \w+\n.*nowhere/,
  )
})
