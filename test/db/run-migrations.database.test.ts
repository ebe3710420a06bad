/** The build's program, from a copy of its bundle and with nothing else, against PostgreSQL. */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Database, type DatabaseCredentials, openDatabase, type Session } from '../../db/client.ts'
import { createPartitionsAhead } from '../../db/partitions.ts'
import { bundleMigration } from '../../infra/bundle-migration.ts'
import { createDatabase, MIGRATIONS, ROLE_PASSWORDS, type TestDatabase } from '../support/database.ts'
import { addMigration, removeLastMigration } from '../support/migrations.ts'
import { portOf } from '../support/ports.ts'

const count = readdirSync(MIGRATIONS).filter((file) => file.endsWith('.sql')).length

let folder: string
let bundle: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-bundle-'))
  bundle = join(folder, 'bundle')
  bundleMigration(bundle)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A copy of the bundle whose migrations are changed. */
function copyOf(source: string, change: (migrations: string) => void): string {
  const copy = mkdtempSync(join(folder, 'copy-'))
  cpSync(source, copy, { recursive: true })
  change(join(copy, 'migrations'))
  return copy
}

/** Runs the program as a build does: its variables, its folder, and no packages. */
async function migrate(credentials: DatabaseCredentials, from = bundle): Promise<{ exitCode: number; output: string }> {
  const env = {
    PGHOST: credentials.host,
    PGPORT: String(credentials.port),
    PGDATABASE: credentials.dbname,
    PGUSER: credentials.username,
    PGPASSWORD: credentials.password,
    PGSSLMODE: 'disable',
    ...ROLE_PASSWORDS,
    NODE_PATH: '',
  }
  return await new Promise((done) => {
    execFile(process.execPath, ['run-migrations.mjs'], { cwd: from, env }, (error, stdout, stderr) =>
      done({ exitCode: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    )
  })
}

async function applied(database: Database): Promise<number> {
  const { rows } = await database.execute<{ count: number }>(
    sql`select count(*)::integer as count from drizzle.__drizzle_migrations`,
  )
  return rows[0]?.count ?? 0
}

/** All that a migration could leave behind, in words that can be compared. */
async function shapeOf(database: Database): Promise<string[]> {
  const { rows } = await database.execute<{ line: string }>(sql`
    select concat_ws(' ', table_schema, table_name, column_name, data_type, is_nullable) as line
    from information_schema.columns where table_schema in ('ingest', 'raw')
    union all select concat_ws(' ', schemaname, indexname) from pg_indexes where schemaname in ('ingest', 'raw')
    union all select hash from drizzle.__drizzle_migrations
    order by 1`)
  return rows.map(({ line }) => line)
}

describe('an empty database', () => {
  test('gets every migration, each told with its time, and a second run finds nothing to do', async () => {
    await using empty = await createDatabase('empty')
    const first = await migrate(empty.credentials)
    const second = await migrate(empty.credentials)

    expect(first).toEqual({ exitCode: 0, output: expect.stringMatching(/^0000_ledger_and_documents in \d+ ms\n/) })
    expect(first.output.match(/ in \d+ ms$/gm)).toHaveLength(count)
    expect(first.output).toContain(`${count} applied, ${count} in all; 31 partitions made.\n`)
    expect(second).toEqual({
      exitCode: 0,
      output: `0 applied, ${count} in all; 0 partitions made.\nPasswords set of 6 roles.\n`,
    })
  })

  test('is migrated by two builds at once: both succeed, and each file is applied once', async () => {
    await using empty = await createDatabase('empty')
    const runs = await Promise.all([migrate(empty.credentials), migrate(empty.credentials)])

    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
    expect(runs.flatMap(({ output }) => output.match(/ in \d+ ms$/gm) ?? [])).toHaveLength(count)
    expect(await applied(empty.database)).toBe(count)
  })
})

describe('releases that meet', () => {
  test('an older one does nothing to a newer database, succeeds, and warns', async () => {
    await using migrated = await createDatabase()
    const before = await shapeOf(migrated.database)
    const older = copyOf(bundle, (migrations) => removeLastMigration(migrations))

    const { exitCode, output } = await migrate(migrated.credentials, older)

    expect(exitCode).toBe(0)
    expect(output).toMatch(
      /^Passwords set of 6 roles\.\nWARNING: nothing to do, the database is newer.* has \d+ migrations, and 1 of them are unknown/,
    )
    expect(await shapeOf(migrated.database)).toEqual(before)
  })

  test('one with another migration in a place that is taken is refused, and told what to do', async () => {
    await using migrated = await createDatabase()
    const theirs = copyOf(bundle, (migrations) =>
      addMigration(migrations, '9000_theirs', 'create table ingest.theirs ()'),
    )
    const ours = copyOf(bundle, (migrations) => {
      addMigration(migrations, '9000_ours', 'create table ingest.ours ()')
      addMigration(migrations, '9001_ours', 'create table ingest.more ()')
    })
    expect((await migrate(migrated.credentials, theirs)).exitCode).toBe(0)
    const before = await shapeOf(migrated.database)

    const { exitCode, output } = await migrate(migrated.credentials, ours)

    expect(exitCode).toBe(1)
    expect(output).toContain(`Migration ${count + 1} is 9000_ours here, and in the database another one`)
    expect(output).toContain('take db/migrations as it was in the release that is deployed')
    expect(await shapeOf(migrated.database)).toEqual(before)
  })

  test('a file that was changed after it was applied is refused', async () => {
    await using migrated = await createDatabase()
    const changed = copyOf(bundle, () => {})
    const file = join(changed, 'migrations', readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'))[1] ?? '')
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n-- later`)

    expect(await migrate(migrated.credentials, changed)).toEqual({
      exitCode: 1,
      output: expect.stringContaining('Migration 2 is 0001_ledger_indexes here'),
    })
  })
})

describe('a migration that fails', () => {
  const SECRET = 'a-value-of-a-row'

  async function failWith(text: string, prepare = sql`select`) {
    await using migrated = await createDatabase()
    await migrated.database.execute(prepare)
    const before = await shapeOf(migrated.database)
    const failing = copyOf(bundle, (migrations) => {
      addMigration(migrations, '9000_fine', 'alter table ingest.files add column fine integer')
      addMigration(migrations, '9001_broken', text)
    })
    const { exitCode, output } = await migrate(migrated.credentials, failing)
    expect(await shapeOf(migrated.database)).toEqual(before)
    expect(exitCode).toBe(1)
    expect(output).toMatch(/^9000_fine in \d+ ms\nNot migrated, nothing was changed\. 9001_broken, /)
    expect(output).not.toContain(SECRET)
    return output.split('\n')[1]?.replace(/^.*9001_broken, /, '')
  }

  test('for its SQL is told with its statement and the message of the server, and leaves the database as it was', async () => {
    const text =
      'create index files_fine on ingest.files (fine);--> statement-breakpoint\nselect nonsense from ingest.files'
    expect(await failWith(text)).toBe('statement 2 of 2: ERROR 42703: column "nonsense" does not exist')
  })

  const insert = sql.raw(`insert into ingest.messages (message_id, body, reason) values ('m', '${SECRET}', 'r')`)

  test('for the data is told without the data', async () => {
    expect(
      await failWith('alter table ingest.messages alter column body type integer using body::integer', insert),
    ).toBe('statement 1 of 1: ERROR 22P02')
  })

  test('for a constraint is told with its name', async () => {
    const text = `alter table ingest.messages add constraint short check (length(body) < 3)`
    expect(await failWith(text, insert)).toBe('statement 1 of 1: ERROR 23514, table ingest.messages, constraint short')
  })

  test('in a statement that was made on the server is told without it', async () => {
    const text = `do $$ begin execute (select body from ingest.messages); end $$`
    expect(await failWith(text, insert)).toBe('statement 1 of 1: ERROR 42601')
  })
})

describe('a database that is not ready', () => {
  /** How many programs wait in the database for a lock. */
  async function waiting({ database }: TestDatabase): Promise<number> {
    const { rows } = await database.execute<{ count: number }>(sql`
      select count(*)::integer as count from pg_stat_activity
      where datname = current_database() and application_name = 'sluice-migrate' and wait_event_type = 'Lock'`)
    return rows[0]?.count ?? 0
  }

  /** Does something in a transaction that is open until the returned function is called. */
  async function hold({ credentials }: TestDatabase, work: (session: Session) => Promise<unknown>) {
    const database = openDatabase(credentials, 'holder')
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise: done, resolve: isDone } = Promise.withResolvers<void>()
    const whole = database.transaction(async (transaction) => {
      await work(transaction)
      isDone()
      await released
    })
    await done
    return async () => {
      release()
      await whole
      await database.$client.end()
    }
  }

  const until = (condition: () => Promise<void>) => vi.waitFor(condition, { timeout: 10_000, interval: 20 })

  test('because it only starts is waited for', async () => {
    await using migrated = await createDatabase()
    const { host, port } = migrated.credentials
    let connections = 0
    const server = createServer((socket) => {
      if (++connections === 1) socket.destroy()
      else socket.pipe(connect(port, host)).pipe(socket)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    onTestFinished(() => void server.close())

    const { exitCode, output } = await migrate({ ...migrated.credentials, host: '127.0.0.1', port: portOf(server) })

    expect(output).toMatch(/^No connection to the database \((ECONNRESET|lost)\)\. Trying again for 1\d\d s\.\n/)
    expect(output).toContain(`0 applied, ${count} in all`)
    expect(exitCode).toBe(0)
  })

  test('because a table is in use is tried again', async () => {
    await using migrated = await createDatabase()
    const busy = copyOf(bundle, (migrations) =>
      addMigration(
        migrations,
        '9000_busy',
        `do $$ begin assert current_setting('lock_timeout') = '5s'; end $$;--> statement-breakpoint
        set local lock_timeout = '500ms';--> statement-breakpoint
        alter table ingest.files add column busy integer`,
      ),
    )
    const release = await hold(migrated, (session) => session.execute(sql`select count(*) from ingest.files`))
    const running = migrate(migrated.credentials, busy)
    await until(async () => expect(await waiting(migrated)).toBe(1))
    await until(async () => expect(await waiting(migrated)).toBe(0))
    await release()

    const { exitCode, output } = await running
    expect(output).toMatch(/^9000_busy, statement 3 of 3: ERROR 55P03: .*lock timeout\. Trying again for/)
    expect(output).toContain(`1 applied, ${count + 1} in all`)
    expect(exitCode).toBe(0)
  })

  test('because the sweep makes the same partition is tried again', async () => {
    await using migrated = await createDatabase()
    await migrated.database.execute(sql`
      do $$ begin execute 'drop table raw.documents_' || to_char((now() at time zone 'UTC')::date + 30, 'YYYYMMDD'); end $$`)
    const release = await hold(migrated, (session) => createPartitionsAhead(session))
    const running = migrate(migrated.credentials)
    await until(async () => expect(await waiting(migrated)).toBe(1))
    await release()

    const { exitCode, output } = await running
    expect(output).toMatch(/^ERROR (42P07|23505).*Trying again for/)
    expect(output).toContain('0 partitions made')
    expect(exitCode).toBe(0)
  })

  test('and whose address is not given is not guessed', async () => {
    expect(await migrate({ host: '', port: 1, dbname: '', username: 'someone', password: 'something' })).toEqual({
      exitCode: 1,
      output:
        'Not migrated, nothing was changed. Not set: PGHOST, PGDATABASE. The project sets them from its secrets.\n',
    })
  })
})
