/** The project itself, by the commands of buildspec.yml, in a folder that holds nothing but dbt/, as the role that runs it. */
import { cpSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../../db/client.ts'
import { setPasswords } from '../../../db/passwords.ts'
import { PASSWORDS } from '../../support/database.ts'
import {
  DBT,
  type DbtDatabase,
  type Finished,
  installDbt,
  PACKAGES,
  PYTHON,
  pythonEnvironment,
  runProcess,
  startDbtDatabase,
} from '../../support/dbt.ts'
import { runsOf } from './transforming.ts'

interface BuildSpec {
  readonly phases: Readonly<Record<'build' | 'post_build', { readonly commands: readonly string[] }>>
}

let spec: BuildSpec
let source: string
beforeAll(async () => {
  await installDbt()
  source = join(mkdtempSync(join(tmpdir(), 'sluice-build-')), 'source')
  const isSource = (path: string) => !/\/(target|logs|packages|__pycache__)$/.test(path)
  cpSync(DBT, source, { recursive: true, filter: isSource })
  // As the build's cache may do.
  symlinkSync(PACKAGES, join(source, 'packages'))
  const toJson = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))'
  const read = await runProcess(PYTHON, ['-c', toJson, join(DBT, 'buildspec.yml')], { env: pythonEnvironment })
  spec = JSON.parse(read.stdout)
})

const role = { PGUSER: 'sluice_transform', PGPASSWORD: PASSWORDS.transform }

/** Runs the phases as CodeBuild does: after a command that fails none of its phase, but `post_build` in any case. */
async function build(db: DbtDatabase, env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  let output = ''
  let status: number | null = 0
  const run = async (command: string) => {
    const { PYTHONPATH: _ours, ...environment } = pythonEnvironment
    const more = { CODEBUILD_BUILD_SUCCEEDING: status === 0 ? '1' : '0', CODEBUILD_BUILD_ID: 'transform:1', ...env }
    const done = await runProcess('bash', ['-c', command], {
      cwd: source,
      env: { ...environment, ...db.env, ...role, ...more },
    })
    output += done.stdout + done.stderr
    return done.status
  }
  for (const command of spec.phases.build.commands) {
    status = await run(command)
    if (status !== 0) break
  }
  for (const command of spec.phases.post_build.commands) await run(command)
  return { status, stdout: output, stderr: '' }
}

test('the commands of the build make the marts, then only what has lost its watermark, and tell of a failure', async () => {
  await using db = await startDbtDatabase()
  await setPasswords(db.database, PASSWORDS)
  const first = await build(db)
  expect(first.status, first.stdout).toBe(0)
  expect(first.stdout).not.toContain('notice')
  expect(first.stdout).not.toMatch(/could not|permission denied|error/)
  expect(first.stdout).toContain('warn: documents.orders: no file has come yet')
  expect(readdirSync(join(source, 'target/artifacts')).sort()).toEqual([
    'junit.xml',
    'manifest.json',
    'run_results.json',
    'sources.json',
    'static_index.html',
    'transform.json',
  ])

  const reader = openDatabase({ ...db.credentials, username: 'sluice_reader', password: PASSWORDS.reader }, 'test')
  const marts = readdirSync(join(DBT, 'models/marts')).filter((file) => file.endsWith('.sql'))
  for (const file of marts) await reader.execute(`select count(*) from ${file.replace('.sql', '')}`)
  await reader.$client.end()

  await db.database.execute(sql`delete from ingest.transform_watermarks where model = 'orders'`)
  const second = await build(db)
  expect(second.stdout).toContain('Building orders: it has no watermark.')
  expect(second.stdout).not.toContain('model github')

  const failed = await build(db, { PGPORT: '9', DATABASE_WAIT_SECONDS: '0' })
  expect(failed.status).toBe(1)
  expect(failed.stdout).toContain('Sluice local: transform failed at transform')
  expect(await runsOf(db)).toMatchObject([{ outcome: 'succeeded' }, { outcome: 'succeeded', sources: [] }])
})
