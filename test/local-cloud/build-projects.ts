// Projects of CodeBuild on an emulator, and what tests need to run builds and to look at them.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  BatchGetBuildsCommand,
  type Build,
  CodeBuildClient,
  CreateProjectCommand,
  type CreateProjectCommandInput,
  StartBuildCommand,
  type StartBuildCommandInput,
} from '@aws-sdk/client-codebuild'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'

const PYTHON = resolve(import.meta.dirname, '../../.sluice/venv/bin/python')
const BUILD_LIMIT_MILLISECONDS = 20_000

/** Of commands, or of commands and those of `finally`, by phase; and any other field of a buildspec. */
export type Phases = Record<string, string[] | { commands: string[]; finally?: string[] }>

export function buildspec(phases: Phases, fields: object = {}): string {
  const whole = Object.entries(phases).map(([name, phase]) => [
    name,
    Array.isArray(phase) ? { commands: phase } : phase,
  ])
  return JSON.stringify({ version: 0.2, phases: Object.fromEntries(whole), ...fields })
}

export class BuildProjects {
  readonly codebuild: CodeBuildClient
  readonly s3: S3Client
  readonly #logs: CloudWatchLogsClient
  #projects = 0

  /** The source of every project: hello.txt, nested/buildspec.yml and nested/run.sh, which may be run. */
  static async create(client: ConstructorParameters<typeof S3Client>[0]): Promise<BuildProjects> {
    const projects = new BuildProjects(client)
    await projects.s3.send(new CreateBucketCommand({ Bucket: 'sources' }))
    await projects.s3.send(new CreateBucketCommand({ Bucket: 'results' }))
    await projects.s3.send(new PutObjectCommand({ Bucket: 'sources', Key: 'a/source.zip', Body: sourceZip() }))
    return projects
  }

  private constructor(client: ConstructorParameters<typeof S3Client>[0]) {
    this.s3 = new S3Client(client ?? {})
    this.codebuild = new CodeBuildClient(client as object)
    this.#logs = new CloudWatchLogsClient(client as object)
  }

  /** @returns its name */
  async project(spec: string, fields: Partial<CreateProjectCommandInput> = {}): Promise<string> {
    const name = `project-${this.#projects++}`
    await this.codebuild.send(
      new CreateProjectCommand({
        name,
        source: { type: 'S3', location: 'sources/a/source.zip', buildspec: spec },
        artifacts: { type: 'NO_ARTIFACTS' },
        environment: {
          type: 'LINUX_CONTAINER',
          image: 'aws/codebuild/standard:7.0',
          computeType: 'BUILD_GENERAL1_SMALL',
        },
        serviceRole: 'arn:aws:iam::000000000000:role/any',
        ...fields,
      }),
    )
    return name
  }

  async start(projectName: string, fields: Partial<StartBuildCommandInput> = {}): Promise<Build> {
    return (await this.codebuild.send(new StartBuildCommand({ projectName, ...fields }))).build ?? {}
  }

  async describe({ id = '' }: Build): Promise<Build> {
    return (await this.codebuild.send(new BatchGetBuildsCommand({ ids: [id] }))).builds?.[0] ?? {}
  }

  async ended(build: Build): Promise<Build> {
    const deadline = Date.now() + BUILD_LIMIT_MILLISECONDS
    while (Date.now() < deadline) {
      const now = await this.describe(build)
      if (now.buildComplete) return now
      await sleep(20)
    }
    throw new Error(`${build.id} still runs after ${BUILD_LIMIT_MILLISECONDS / 1000} s`)
  }

  /** Runs a build of a project that exists. */
  async run(projectName: string, fields: Partial<StartBuildCommandInput> = {}): Promise<Build> {
    return this.ended(await this.start(projectName, fields))
  }

  /** What CloudWatch Logs has of it. */
  async log({ logs }: Build): Promise<string[]> {
    const { groupName: logGroupName, streamName: logStreamName } = logs ?? {}
    const { events = [] } = await this.#logs.send(
      new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }),
    )
    return events.map(({ message = '' }) => message)
  }

  /** Lines that its commands wrote. */
  async output(build: Build): Promise<string[]> {
    return (await this.log(build)).filter((line) => !line.startsWith('[Container] '))
  }
}

/** Of its phases, what was not SUCCEEDED. */
export function troubles({ phases = [] }: Build) {
  return phases
    .filter(({ phaseStatus }) => phaseStatus !== undefined && phaseStatus !== 'SUCCEEDED')
    .map(({ phaseType, phaseStatus, contexts }) => ({ phaseType, phaseStatus, ...contexts?.[0] }))
}

function sourceZip(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-source-'))
  try {
    write(join(folder, 'hello.txt'), 'hello\n')
    write(join(folder, 'nested/buildspec.yml'), 'version: 0.2\nphases: { build: { commands: [nested/run.sh yes] } }\n')
    write(join(folder, 'nested/run.sh'), '#!/bin/sh\necho "ran with $1"\n', 0o755)
    const zip = join(folder, 'source.zip')
    execFileSync(PYTHON, ['-m', 'zipfile', '-c', zip, 'hello.txt', 'nested'], { cwd: folder })
    return readFileSync(zip)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function write(path: string, text: string, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode })
}
