// Builds on the laptop cloud do what those of CodeBuild do, as processes of this machine.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  AccountLimitExceededException,
  BatchGetReportGroupsCommand,
  BatchGetReportsCommand,
  type Build,
  DescribeTestCasesCommand,
  ListReportsForReportGroupCommand,
  ResourceNotFoundException,
  StopBuildCommand,
} from '@aws-sdk/client-codebuild'
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BuildProjects, buildspec, type Phases, troubles } from './build-projects.ts'
import { processesIn } from './fixture-cloud.ts'
import { StateMachines } from './state-machines.ts'

const ROOT = resolve(import.meta.dirname, '../..')
/** Told apart from those of other tests. */
const SLEEP = `sleep 71.${process.pid}`
const PASSWORD = 'a "secret" $HOME'
const IMAGE = {
  type: 'LINUX_CONTAINER',
  image: 'aws/codebuild/standard:7.0',
  computeType: 'BUILD_GENERAL1_SMALL',
} as const

let machines: StateMachines
let projects: BuildProjects
let buildCache: string
let secretArn = ''

beforeAll(async () => {
  buildCache = join(ROOT, `.sluice/test-build-cache-${process.pid}`)
  machines = await StateMachines.start('builds', { buildCache })
  projects = await BuildProjects.create(machines.client)
  const { ARN = '' } = await new SecretsManagerClient(machines.client).send(
    new CreateSecretCommand({ Name: 'database', SecretString: JSON.stringify({ password: PASSWORD, port: 5432 }) }),
  )
  secretArn = ARN
})
afterAll(async () => {
  await machines.stop()
  rmSync(buildCache, { recursive: true, force: true })
})

const run = async (phases: Phases, fields: object = {}, ofProject: object = {}) =>
  projects.run(await projects.project(buildspec(phases, fields), ofProject))

test('the phases run in their order, in the source; directory and exported variables carry over', async () => {
  const build = await run({
    install: ['cat hello.txt', 'export CARRIED="a \'b\' $HOME" && cd nested', 'echo "in the same shell: $CARRIED"'],
    pre_build: ['basename "$PWD"; ./run.sh "$CARRIED"'],
    build: ['if true; then\n  echo several lines\nfi\n', 'unset CARRIED'],
    post_build: [
      'echo "CARRIED=$CARRIED $CODEBUILD_BUILD_SUCCEEDING"',
      'printf unfinished',
      'echo " line"; echo e >&2',
    ],
  })

  expect(build).toMatchObject({ buildStatus: 'SUCCEEDED', currentPhase: 'COMPLETED', buildComplete: true })
  const carried = `a 'b' ${process.env.HOME}`
  const lines = [
    'hello',
    `in the same shell: ${carried}`,
    'nested',
    `ran with ${carried}`,
    'several lines',
    'CARRIED= 1',
  ]
  expect(await projects.output(build)).toEqual([...lines, 'unfinished', ' line', 'e'])
  expect(build.phases?.map(({ phaseType, phaseStatus = '' }) => `${phaseType} ${phaseStatus}`)).toEqual([
    ...['SUBMITTED', 'QUEUED', 'PROVISIONING', 'DOWNLOAD_SOURCE', 'INSTALL', 'PRE_BUILD', 'BUILD', 'POST_BUILD'].map(
      (name) => `${name} SUCCEEDED`,
    ),
    ...['UPLOAD_ARTIFACTS SUCCEEDED', 'FINALIZING SUCCEEDED', 'COMPLETED '],
  ])
  expect(build.phases?.[6]).toMatchObject({ durationInSeconds: 0, contexts: [{ statusCode: '', message: '' }] })
})

test('the log is in CloudWatch and in a file, as CodeBuild writes it', async () => {
  const project = await projects.project(buildspec({ build: ['echo built'] }), {
    logsConfig: { cloudWatchLogs: { status: 'ENABLED', groupName: 'chosen', streamName: 'by-project' } },
  })
  const build = await projects.run(project)
  const log = await projects.log(build)

  expect(build.logs).toMatchObject({ groupName: 'chosen', streamName: `by-project/${build.id?.split(':')[1]}` })
  expect(log.slice(-11).map((line) => line.replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/, 'TIME'))).toEqual([
    '[Container] TIME Phase complete: PRE_BUILD State: SUCCEEDED',
    '[Container] TIME Phase context status code:  Message:',
    '[Container] TIME Entering phase BUILD',
    '[Container] TIME Running command echo built',
    'built',
    '[Container] TIME Phase complete: BUILD State: SUCCEEDED',
    '[Container] TIME Phase context status code:  Message:',
    '[Container] TIME Phase complete: POST_BUILD State: SUCCEEDED',
    '[Container] TIME Phase context status code:  Message:',
    '[Container] TIME Phase complete: UPLOAD_ARTIFACTS State: SUCCEEDED',
    '[Container] TIME Phase context status code:  Message:',
  ])
  const file = join(machines.directory, 'builds', build.id ?? '', 'build.log')
  expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toEqual(log)
  expect(build.logs?.deepLink).toBe(`file://${file}`)
})

test('a failed command ends its phase; after a failed build post_build runs, and finally always does', async () => {
  const build = await run({
    build: { commands: ['(exit 3)', 'echo never'], finally: ['echo finally'] },
    post_build: ['echo "succeeding: $CODEBUILD_BUILD_SUCCEEDING"'],
  })

  expect(build.buildStatus).toBe('FAILED')
  const message = 'Error while executing command: (exit 3). Reason: exit status 3'
  expect(troubles(build)).toEqual([
    { phaseType: 'BUILD', phaseStatus: 'FAILED', statusCode: 'COMMAND_EXECUTION_ERROR', message },
  ])
  expect(await projects.output(build)).toEqual(['finally', 'succeeding: 0'])
  expect((await projects.log(build)).join('\n')).toContain('Phase complete: BUILD State: FAILED\n')
})

test.each(['install', 'pre_build'])('a failed %s ends the build', async (phase) => {
  const build = await run({
    [phase]: { commands: ['exit 4'], finally: ['echo finally'] },
    build: ['echo never'],
    post_build: ['echo never'],
  })

  expect(troubles(build)).toMatchObject([{ phaseType: phase.toUpperCase(), statusCode: 'COMMAND_EXECUTION_ERROR' }])
  expect(await projects.output(build)).toEqual(['finally'])
})

test.each([
  ['an unfinished quote', 'echo "open', 2],
  ['set -e', 'set -e; false; true', 1],
  ['a program that does not exist', 'no-such-program', 127],
])('%s fails that command', async (_, command, status) => {
  const build = await run({
    pre_build: ['export KEPT=yes'],
    build: [command, 'echo never'],
    post_build: ['echo $KEPT'],
  })

  expect(troubles(build)[0]?.message).toBe(`Error while executing command: ${command}. Reason: exit status ${status}`)
  expect((await projects.output(build)).at(-1)).toBe('yes')
})

test('set -x traces commands and nothing else', async () => {
  const build = await run({ build: ['set -x', 'echo traced', 'false'] }, { env: { shell: 'bash' } })

  const traced = ["+ eval 'echo traced'", '++ echo traced', 'traced', '+ eval false', '++ false']
  expect(await projects.output(build)).toEqual(traced)
})

test.each([
  ['bash', 'bash', 'yes'],
  ['sh if it names none', undefined, 'no'],
])('the shell is that of the buildspec: %s', async (_, shell, isBash) => {
  const build = await run({ build: ['echo "$(test -n "$BASH_VERSION" && echo yes || echo no)"'] }, { env: { shell } })

  expect(await projects.output(build)).toEqual([isBash === 'no' && isBashSh() ? 'yes' : isBash])
})

test('variables: StartBuild over project over buildspec, and nothing of the emulator', async () => {
  const variable = (name: string, value: string) => ({ name, value, type: 'PLAINTEXT' as const })
  const spec = buildspec(
    { install: ['echo "$A $B $C"; export OUT=made'], build: ['env'] },
    { env: { variables: { A: 'spec', B: 'spec', C: 'spec' }, 'exported-variables': ['OUT', 'A', 'MISSING'] } },
  )
  const project = await projects.project(spec, {
    environment: { ...IMAGE, environmentVariables: [variable('B', 'project'), variable('C', 'project')] },
  })
  const build = await projects.run(project, { environmentVariablesOverride: [variable('C', 'start')] })
  const [values, ...lines] = await projects.output(build)
  const seen = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)))

  expect(values).toBe('spec project start')
  expect(build.environment?.environmentVariables).toEqual([variable('B', 'project'), variable('C', 'start')])
  expect(build.exportedEnvironmentVariables).toEqual([
    { name: 'OUT', value: 'made' },
    { name: 'A', value: 'spec' },
    { name: 'MISSING', value: '' },
  ])
  expect(seen).toMatchObject({
    AWS_ENDPOINT_URL: machines.client.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    CODEBUILD_BUILD_ID: build.id,
    CODEBUILD_BUILD_ARN: build.arn,
    CODEBUILD_BUILD_NUMBER: '1',
    CODEBUILD_BUILD_SUCCEEDING: '1',
    CODEBUILD_SRC_DIR: seen.PWD,
    CODEBUILD_INITIATOR: build.initiator,
  })
  const own = ['HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'PATH', 'TMPDIR', 'CI', 'GIT_CEILING_DIRECTORIES']
  const ofShell = ['PWD', 'OLDPWD', 'SHLVL', '_', 'PYTHONUNBUFFERED', 'A', 'B', 'C', 'OUT']
  const others = Object.keys(seen).filter((name) => !/^(AWS|CODEBUILD)_/.test(name))
  expect(others.filter((name) => ![...own, ...ofShell].includes(name))).toEqual([])
  expect(seen.PATH?.split(':').slice(0, 2)).toEqual([join(ROOT, 'node_modules/.bin'), join(ROOT, '.sluice/venv/bin')])
})

test('a secret comes by name or ARN and key, and is masked in the log', async () => {
  const secret = (name: string, value: string) => ({ name, value, type: 'SECRETS_MANAGER' as const })
  const build = await run(
    {
      build: ['echo "$BY_ARN/$BY_NAME/$PORT"', 'test "$BY_ARN" = "$BY_NAME"', `test \${#BY_ARN} = ${PASSWORD.length}`],
    },
    { env: { 'secrets-manager': { BY_NAME: 'database:password' } } },
    {
      environment: {
        ...IMAGE,
        environmentVariables: [secret('BY_ARN', `${secretArn}:password`), secret('PORT', 'database:port:AWSCURRENT')],
      },
    },
  )

  expect(build.buildStatus).toBe('SUCCEEDED')
  expect(await projects.output(build)).toEqual(['***/***/***'])
  expect(readFileSync(fileOf(build), 'utf8')).not.toContain(PASSWORD)
})

test.each([
  ['a missing secret', 'nowhere:password', 'ResourceNotFoundException'],
  ['a missing key', 'database:user', 'no JSON key user'],
])('%s fails the build before its first command', async (_, reference, reason) => {
  const build = await run({ install: ['echo never'] }, { env: { 'secrets-manager': { IT: reference } } })

  expect(troubles(build)).toMatchObject([{ phaseType: 'DOWNLOAD_SOURCE', statusCode: 'Secrets Manager Error' }])
  expect(troubles(build)[0]?.message).toContain(reason)
  expect(await projects.output(build)).toEqual([])
})

test('the buildspec may be a path in the source', async () => {
  const build = await projects.run(await projects.project('nested/buildspec.yml'))

  expect(await projects.output(build)).toEqual(['ran with yes'])
})

test.each([
  ['is not there', 'buildspec.yml', 'YAML file does not exist'],
  ['is not at its path', 'nested/none.yml', 'nested/none.yml: no such file or directory'],
  ['is no YAML', 'version: 0.2\nphases: [', 'expected the node content'],
  ['has another version', 'version: 1\nphases: {}', 'unknown buildspec version 1'],
  ['has no phases', 'version: 0.2\n', 'phases: at least one is required'],
  ['has an unknown phase', 'version: 0.2\nphases:\n  test: {}', 'unknown phase test'],
  [
    'has a command that YAML takes apart',
    'version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b',
    'Expected Commands[0] to be of string type: found subkeys instead',
  ],
])('a buildspec that %s fails the build', async (_, spec, message) => {
  const build = await projects.run(await projects.project(spec))

  expect(build.buildStatus).toBe('FAILED')
  expect(troubles(build)).toMatchObject([{ phaseType: 'DOWNLOAD_SOURCE', statusCode: 'YAML_FILE_ERROR' }])
  expect(troubles(build)[0]?.message).toContain(message)
})

test('a source that is not there fails the build, and another can be given to StartBuild', async () => {
  const source = {
    type: 'S3',
    location: 'sources/none.zip',
    buildspec: buildspec({ build: ['cat hello.txt'] }),
  } as const
  const project = await projects.project('', { source })
  const missing = await projects.run(project)
  const found = await projects.run(project, { sourceLocationOverride: 'arn:aws:s3:::sources/a/source.zip' })

  expect(troubles(missing)).toMatchObject([{ phaseType: 'DOWNLOAD_SOURCE', statusCode: 'CLIENT_ERROR' }])
  expect(troubles(missing)[0]?.message).toContain('sources/none.zip')
  expect(await projects.output(found)).toEqual(['hello'])
})

test('without a source there is an empty folder', async () => {
  const source = { type: 'NO_SOURCE', buildspec: buildspec({ build: ['ls -A | wc -l | tr -d " "'] }) } as const

  expect(await projects.output(await projects.run(await projects.project('', { source })))).toEqual(['0'])
})

test('a stopped build is over at once, with what it left in the background', async () => {
  const project = await projects.project(buildspec({ install: [`${SLEEP} &`], build: [SLEEP], post_build: ['date'] }))
  const build = await projects.start(project)
  await expect.poll(() => sleepers().length, { timeout: 5_000 }).toBe(2)
  const started = Date.now()
  await projects.codebuild.send(new StopBuildCommand({ id: build.id }))
  const stopped = await projects.describe(build)

  expect(stopped).toMatchObject({ buildStatus: 'STOPPED', buildComplete: true, currentPhase: 'COMPLETED' })
  expect(troubles(stopped)).toMatchObject([{ phaseType: 'BUILD', phaseStatus: 'STOPPED' }])
  expect(Date.now() - started).toBeLessThan(1_000)
  await expect.poll(sleepers, { timeout: 1_000 }).toEqual([])
})

test('a build that takes too long is timed out', async () => {
  const project = await projects.project(buildspec({ build: [SLEEP], post_build: ['echo never'] }))
  const build = await projects.run(project, { timeoutInMinutesOverride: 0.01 })

  expect(build).toMatchObject({ buildStatus: 'TIMED_OUT', timeoutInMinutes: 0.01 })
  expect(troubles(build)).toMatchObject([
    { phaseType: 'BUILD', phaseStatus: 'TIMED_OUT', statusCode: 'BUILD_TIMED_OUT' },
  ])
  await expect.poll(sleepers, { timeout: 1_000 }).toEqual([])
})

test('no more builds run than the project allows, and none of a project that is not there', async () => {
  const project = await projects.project(buildspec({ build: [SLEEP] }), { concurrentBuildLimit: 1 })
  const first = await projects.start(project, { idempotencyToken: 'once' })
  const again = await projects.start(project, { idempotencyToken: 'once' })

  expect(again.id).toBe(first.id)
  await expect(projects.start(project)).rejects.toThrow(AccountLimitExceededException)
  await expect(projects.start(project)).rejects.toThrow('Cannot have more than 1 builds in queue for the account')
  await projects.codebuild.send(new StopBuildCommand({ id: first.id }))
  await projects.codebuild.send(new StopBuildCommand({ id: (await projects.start(project)).id }))
  await expect(projects.start('nowhere')).rejects.toThrow(ResourceNotFoundException)
})

test('a cache is there for the next build, unless the build that changed it failed', async () => {
  const cached = { type: 'S3', location: 'results/cache' } as const
  const spec = buildspec(
    {
      install: ['cat kept/deep/count 2>/dev/null || echo nothing; cat left-out 2>/dev/null || mkdir -p kept/deep'],
      build: [
        'echo "$TURN" > kept/deep/count; ln -sf count kept/deep/link; touch left-out kept/-dash',
        'exit "$STATUS"',
      ],
    },
    { cache: { paths: ['kept/**/*', '/etc/host*'] } },
  )
  const project = await projects.project(spec, { cache: cached })
  const turn = async (number: number, status: number) => {
    const build = await projects.run(project, {
      environmentVariablesOverride: [
        { name: 'TURN', value: `turn ${number}` },
        { name: 'STATUS', value: `${status}` },
      ],
    })
    return (await projects.output(build))[0]
  }

  expect(await turn(1, 0)).toBe('nothing')
  expect(await turn(2, 1)).toBe('turn 1')
  expect(await turn(3, 0)).toBe('turn 1')
  expect(await turn(4, 0)).toBe('turn 3')
  const listed = execFileSync('tar', ['-tf', join(buildCache, 'results/cache/cache.tar')], { encoding: 'utf8' })
  expect(listed.trim().split('\n').sort()).toEqual(['./kept/-dash', './kept/deep/count', './kept/deep/link'])
})

test('a cache that nobody changed is handed on as it is, and unpacked for whoever comes at the same time', async () => {
  const spec = buildspec(
    {
      install: ['mkdir -p kept; test -e kept/it || echo it > kept/it'],
      build: ['cat kept/it; ls -i kept/it', 'sleep 0.3'],
    },
    { cache: { paths: ['kept/**/*'] } },
  )
  const project = await projects.project(spec, { cache: { type: 'S3', location: 'results/handed-on' } })
  const first = await projects.run(project)
  const second = await projects.run(project)
  const together = await Promise.all([projects.run(project), projects.run(project)])

  const [it, inode] = await projects.output(first)
  expect(await projects.output(second)).toEqual([it, inode])
  expect((await projects.log(second)).join('\n')).toContain('The cache is unchanged')
  const [left = [], right = []] = await Promise.all(together.map((build) => projects.output(build)))
  expect([left[0], right[0]]).toEqual([it, it])
  expect(left[1]).not.toBe(right[1])
})

test('artifacts are uploaded, after a failed build too', async () => {
  const artifacts = { type: 'S3', location: 'results', path: 'of', namespaceType: 'BUILD_ID', name: 'it' } as const
  const made = ['mkdir -p out/deep; echo a > out/a.txt; echo b > out/deep/b.txt; echo c > out/deep/c.log']
  const spec = buildspec(
    { build: made, post_build: ['exit $STATUS'] },
    { artifacts: { 'base-directory': 'out', files: ['**/*.txt'] } },
  )
  const project = await projects.project(spec, { artifacts })
  const succeeded = await projects.run(project)
  const failed = await projects.run(project, { environmentVariablesOverride: [{ name: 'STATUS', value: '1' }] })
  const zipped = await projects.run(project, {
    artifactsOverride: { type: 'S3', location: 'results', packaging: 'ZIP', name: 'it.zip' },
  })

  const prefix = (build: Build) => `of/${build.id?.split(':')[1]}/it`
  for (const build of [succeeded, failed]) {
    expect(await keysBelow(prefix(build))).toEqual([`${prefix(build)}/a.txt`, `${prefix(build)}/deep/b.txt`])
  }
  expect(failed.buildStatus).toBe('FAILED')
  expect(succeeded.artifacts?.location).toBe(`arn:aws:s3:::results/${prefix(succeeded)}`)
  expect(await keysBelow('it.zip')).toEqual(['it.zip'])
  expect(zipped.artifacts?.location).toBe('arn:aws:s3:::results/it.zip')
})

test('artifacts that are missing fail a build that had succeeded, and only that', async () => {
  const artifacts = { type: 'S3', location: 'results' } as const
  const missing = { artifacts: { files: ['none/**/*'] } }
  const succeeded = await run({ build: ['true'] }, missing, { artifacts })
  const failed = await run({ build: ['false'] }, missing, { artifacts })

  expect(troubles(succeeded)).toMatchObject([
    { phaseType: 'UPLOAD_ARTIFACTS', statusCode: 'CLIENT_ERROR', message: 'no matching artifact paths found' },
  ])
  expect(troubles(failed)).toMatchObject([{ phaseType: 'BUILD' }])
})

test('a JUnit file becomes a report, and without files there is none', async () => {
  const xml =
    '<testsuites><testsuite name="marts"><testcase name="good" classname="m" time="0.5"/>' +
    '<testcase name="bad" time="1"><failure message="3 rows"/></testcase><testcase name="off"><skipped/></testcase></testsuite></testsuites>'
  const reports = {
    dbt: { files: ['*.xml'], 'base-directory': 'out', 'file-format': 'JUNITXML' },
    none: { files: ['no.xml'] },
  }
  const build = await run({ build: [`mkdir out; echo '${xml}' > out/junit.xml`] }, { reports })
  const [reportArn = ''] = build.reportArns ?? []
  const { reports: found } = await projects.codebuild.send(new BatchGetReportsCommand({ reportArns: [reportArn] }))
  const reportGroupArn = found?.[0]?.reportGroupArn ?? ''
  const ask = projects.codebuild
  const { reportGroups } = await ask.send(new BatchGetReportGroupsCommand({ reportGroupArns: [reportGroupArn] }))
  const { reports: listed } = await ask.send(new ListReportsForReportGroupCommand({ reportGroupArn }))
  const { testCases } = await ask.send(new DescribeTestCasesCommand({ reportArn, filter: { status: 'FAILED' } }))

  expect(build).toMatchObject({ buildStatus: 'SUCCEEDED', reportArns: [expect.stringContaining('-dbt:')] })
  expect(found).toMatchObject([
    {
      status: 'FAILED',
      executionId: build.arn,
      testSummary: { total: 3, statusCounts: { SUCCEEDED: 1, FAILED: 1, SKIPPED: 1 }, durationInNanoSeconds: 1.5e9 },
    },
  ])
  expect(reportGroups).toMatchObject([{ name: `${build.projectName}-dbt`, type: 'TEST' }])
  expect(listed).toEqual([reportArn])
  expect(testCases).toMatchObject([{ name: 'bad', message: '3 rows', testSuiteName: 'marts', prefix: '' }])
  expect((await projects.log(build)).join('\n')).toContain('No matching report files found for none')
})

test('what a build leaves is its log', async () => {
  const build = await run({ build: ['touch made'] })

  const work = join(machines.directory, 'tmp/builds', build.id?.split(':')[1]?.slice(0, 8) ?? '')
  await expect.poll(() => existsSync(work), { timeout: 2_000 }).toBe(false)
  expect(existsSync(fileOf(build))).toBe(true)
})

test('when the emulator ends, however it does, so do its builds', async () => {
  await projects.start(await projects.project(buildspec({ install: [`${SLEEP} &`], build: [SLEEP] })))
  await expect.poll(() => sleepers().length, { timeout: 5_000 }).toBe(2)

  await machines.stop() // kills it

  await expect.poll(sleepers, { timeout: 2_000 }).toEqual([])
  expect(processesIn(machines.directory)).toEqual([])
})

function fileOf({ logs }: Build): string {
  return logs?.deepLink?.replace('file://', '') ?? ''
}

function sleepers(): string[] {
  const ps = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' })
  return ps.split('\n').filter((line) => line.endsWith(` ${SLEEP}`))
}

function isBashSh(): boolean {
  return execFileSync('sh', ['-c', 'echo "$BASH_VERSION"'], { encoding: 'utf8' }).trim() !== ''
}

async function keysBelow(prefix: string): Promise<(string | undefined)[]> {
  const { Contents = [] } = await projects.s3.send(new ListObjectsV2Command({ Bucket: 'results', Prefix: prefix }))
  for (const { Key } of Contents) await projects.s3.send(new GetObjectCommand({ Bucket: 'results', Key }))
  return Contents.map(({ Key }) => Key)
}
