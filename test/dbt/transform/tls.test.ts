/** The transform's connection, as a build has it: libpq goes by PGSSLMODE and PGSSLROOTCERT. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleTransform } from '../../../infra/bundle-transform.ts'
import { type Postgres, startPostgres } from '../../../infra/local/postgres.ts'
import { encrypt, makeAuthority } from '../../support/certificates.ts'
import { installDbt, PYTHON, pythonEnvironment, runProcess } from '../../support/dbt.ts'

const ours = makeAuthority('The right authority')

let folder: string
let source: string
let server: Postgres
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
  source = join(folder, 'source')
  bundleTransform(source)
  writeFileSync(join(source, 'ours.pem'), ours.certificate)
  await installDbt()
  server = await startPostgres({ directory: folder })
  encrypt(server, ours, 'localhost')
})
afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true })
})

/** What the ledger's connection says of itself, or why there is none. */
async function connect(variables: Record<string, string>): Promise<string> {
  const program = `
import ledger
try:
    connection = ledger.connect()
    print("encrypted" if connection.info.ssl_in_use else "plain")
except ledger.Unreachable as error:
    print(error)`
  const env = {
    ...pythonEnvironment,
    ...{ PGHOST: 'localhost', PGPORT: String(server.port), PGDATABASE: 'postgres' },
    ...{ PGUSER: server.user, PGPASSWORD: server.password, DATABASE_WAIT_SECONDS: '0' },
    ...variables,
  }
  const { stdout, stderr } = await runProcess(PYTHON, ['-c', program], { cwd: source, env })
  return stdout + stderr
}

test('is made to a server that the certificates vouch for', async () => {
  await expect
    .poll(() => connect({ PGSSLMODE: 'verify-full', PGSSLROOTCERT: 'ours.pem' }), { timeout: 20_000 })
    .toBe('encrypted\n')
})

test('is refused to any other', async () => {
  const refusal = await connect({ PGSSLMODE: 'verify-full', PGSSLROOTCERT: 'rds-ca.pem' })

  expect(refusal).toContain('certificate verify failed')
})
