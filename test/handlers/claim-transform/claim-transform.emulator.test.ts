import {
  BatchGetBuildsCommand,
  CodeBuildClient,
  CreateProjectCommand,
  StartBuildCommand,
} from '@aws-sdk/client-codebuild'
import { afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { claim, requireAnotherRuns } from '../../../handlers/claim-transform/claim-transform.ts'
import type { WithDatabase } from '../../../handlers/database.ts'
import { createDatabase } from '../../support/database.ts'

const codeBuild = new CodeBuildClient({
  endpoint: inject('awsEndpoint'),
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
})
const NEVER = new AbortController().signal

describe('an execution that the clock started', () => {
  test('runs the transform when it is due, and the next one does not', async () => {
    await using ledger = await createDatabase()
    const withDatabase: WithDatabase = (work) => work(ledger.database)

    expect(await claim(withDatabase, 'first', 60, NEVER)).toEqual({ isClaimed: true, otherBuildId: null })
    expect(await claim(withDatabase, 'second', 60, NEVER)).toEqual({ isClaimed: false, otherBuildId: null })
  })
})

describe('an execution whose build was refused', () => {
  /** A project whose builds take so many seconds. */
  async function createProject(name: string, seconds: number): Promise<string> {
    const buildspec = JSON.stringify({ version: 0.2, phases: { build: { commands: [`sleep ${seconds}`] } } })
    await codeBuild.send(
      new CreateProjectCommand({
        name,
        source: { type: 'NO_SOURCE', buildspec },
        artifacts: { type: 'NO_ARTIFACTS' },
        environment: { type: 'LINUX_CONTAINER', image: 'any', computeType: 'BUILD_GENERAL1_SMALL' },
        serviceRole: 'arn:aws:iam::000000000000:role/any',
      }),
    )
    return name
  }
  const startBuild = async (projectName: string) =>
    (await codeBuild.send(new StartBuildCommand({ projectName }))).build?.id ?? ''

  let quick: string
  beforeAll(async () => {
    quick = await createProject('claim-quick', 0)
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('finds the one that runs', async () => {
    const slow = await createProject('claim-slow', 20)
    const id = await startBuild(slow)

    expect(await requireAnotherRuns(codeBuild, slow)).toEqual({ isClaimed: false, otherBuildId: id })
  })

  test('fails when the project never had one: it is the account that refused', async () => {
    const idle = await createProject('claim-idle', 0)

    await expect(requireAnotherRuns(codeBuild, idle)).rejects.toMatchObject({
      name: 'TransformNotStarted',
      message: expect.stringContaining('quota'),
    })
  })

  test('takes one that ended a moment ago for the one, and not one of ten minutes ago', async () => {
    const id = await startBuild(quick)
    await vi.waitFor(
      async () => {
        const { builds } = await codeBuild.send(new BatchGetBuildsCommand({ ids: [id] }))
        expect(builds?.[0]?.buildStatus).toBe('SUCCEEDED')
      },
      { timeout: 20_000, interval: 50 },
    )
    expect(await requireAnotherRuns(codeBuild, quick)).toMatchObject({ otherBuildId: id })

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 })
    await expect(requireAnotherRuns(codeBuild, quick)).rejects.toMatchObject({ name: 'TransformNotStarted' })
  })
})
