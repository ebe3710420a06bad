import { existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { DBT, installDbt, PACKAGES, pythonEnvironment, runProcess } from '../../support/dbt.ts'

beforeAll(installDbt)

const install = async (folder: string) =>
  await runProcess('sh', [join(DBT, 'install.sh'), folder], {
    env: { PATH: pythonEnvironment.PATH, PIP_INDEX_URL: 'http://127.0.0.1:9', PIP_RETRIES: '0' },
  })

test('packages that are there are not asked for again', async () => {
  expect(await install(PACKAGES)).toEqual({ status: 0, stdout: '', stderr: '' })
})

test('an install that fails says so, and leaves nothing', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'sluice-install-'))
  const failed = await install(join(parent, 'new/packages'))
  expect(failed.status).toBe(1)
  expect(failed.stderr).toContain("pip could not install dbt's packages")
  expect(existsSync(join(parent, 'new/packages'))).toBe(false)
  expect(readdirSync(join(parent, 'new'))).toEqual([])
})
