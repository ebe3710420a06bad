/** What each role may do and may not, on a server where who migrates is no superuser, as on AWS. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { beginAttempt, endAttempt, findKnownVersions } from '../../db/attempts.ts'
import { closeBatch, findUnstartedBatches, listBatches, markExecutionStarted, openBatch } from '../../db/batches.ts'
import { type Database, type DatabaseCredentials, openDatabase } from '../../db/client.ts'
import { claimDeadLetters, countDeadLetters, summarizeDrain } from '../../db/dead-letters.ts'
import { findRefusedDocuments, insertDocuments } from '../../db/documents.ts'
import {
  beginErasure,
  completeErasure,
  countErasable,
  eraseFromDatabase,
  listErasures,
  listFilesOfKey,
} from '../../db/erasures.ts'
import { errorCode } from '../../db/errors.ts'
import { findFiles, findForgottenPoison, recordFiles } from '../../db/files.ts'
import { keepMessages } from '../../db/messages.ts'
import { migrateDatabase } from '../../db/migrate.ts'
import { dropDay, findOldDays } from '../../db/old-partitions.ts'
import { countPartitionDaysAhead, createPartitionsAhead } from '../../db/partitions.ts'
import { type Role, roles, setPasswords } from '../../db/passwords.ts'
import { findLastReconciliation, noteReconciled, openReconciliation } from '../../db/reconciliations.ts'
import { countRefusalsByKind, listRefusals } from '../../db/refusals.ts'
import { noteReplayProgress, openReplay, selectForReplay } from '../../db/replays.ts'
import {
  countErased,
  countFilesByStatus,
  countSuperseded,
  measureBatchSizes,
  measurePutToCommit,
  measureUnreadableMessages,
  measureUnstarted,
} from '../../db/status.ts'
import { claimTransform, listTransforms, measureMarts } from '../../db/transforms.ts'
import { countVersionsOfKey, findKeyOfCopy, listVersionsOfKey } from '../../db/versions.ts'
import { type Postgres, startPostgres } from '../../infra/local/postgres.ts'
import { MIGRATIONS, PASSWORDS } from '../support/database.ts'
import { fileRecord } from '../support/ledger.ts'
import { makePastDay, pastPartitions, succeedTransform } from '../support/old-days.ts'

let folder: string
let server: Postgres
/** Of who migrates: may make roles and databases, and is no superuser. */
let admin: Database
let adminOf: (dbname: string) => DatabaseCredentials
const opened: Database[] = []

function open(credentials: DatabaseCredentials): Database {
  const database = openDatabase(credentials, 'test')
  opened.push(database)
  return database
}

const as = (role: Role, changed: Partial<DatabaseCredentials> = {}): Database =>
  open({ ...adminOf('sluice'), username: `sluice_${role}`, password: PASSWORDS[role], ...changed })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-roles-'))
  server = await startPostgres({ directory: folder })
  const { host, port, user: username, password } = server
  const superuser = openDatabase({ host, port, username, password, dbname: 'postgres' }, 'test-setup')
  await superuser.execute(`create role admin login createrole createdb password 'of-admin'`)
  await superuser.execute('create role nobody login password $$of-nobody$$')
  for (const name of ['sluice', 'second', 'third']) await superuser.execute(`create database ${name} owner admin`)
  await superuser.$client.end()
  adminOf = (dbname) => ({ host, port, username: 'admin', password: 'of-admin', dbname })
  admin = openDatabase(adminOf('sluice'), 'test')
  await migrateDatabase(admin, MIGRATIONS)
  await setPasswords(admin, PASSWORDS)
  // As dbt builds them.
  const transform = openDatabase(
    { ...adminOf('sluice'), username: 'sluice_transform', password: PASSWORDS.transform },
    '',
  )
  for (const schema of ['staging', 'intermediate', 'marts'])
    await transform.execute(`create table ${schema}.built as select 1 as one`)
  await transform.$client.end()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.$client.end()))
})
afterAll(async () => {
  await admin.$client.end()
  await server.stop()
  rmSync(folder, { recursive: true })
})

/** SQLSTATE of the refusal, `done` if there is none. */
const attempt = (work: PromiseLike<unknown>): Promise<string | undefined> =>
  Promise.resolve(work).then(() => 'done', errorCode)

const DENIED = '42501'

describe('the permissions', () => {
  /**
   * Of each role on each table and view: S(elect), I(nsert), U(pdate), D(elete), T(runcate), or those of single columns. A new
   * table is a new line here, and its grants a line of its migration.
   */
  const matrix: Record<string, Partial<Record<Role | 'documents', string>>> = {
    'ingest.batches': {
      ...{ ingest: 'SIU', inspection: 'S', transform: 'S' },
      maintenance: 'S U(started_at)',
    },
    'ingest.current_files': { inspection: 'S', transform: 'S' },
    'ingest.dropped_days': { inspection: 'S' },
    'ingest.erasures': { erasure: 'SIU', inspection: 'S' },
    'ingest.files': {
      ...{ ingest: 'SIU', maintenance: 'SIU', inspection: 'S', transform: 'S' },
      erasure: 'SI U(changed_xid,erased_at,reason)',
    },
    'ingest.messages': {
      ...{ ingest: 'I', maintenance: 'I' },
      erasure: 'S(body,message_id) U(body)',
      inspection: 'S(batch_id,message_id,reason,received_at)',
    },
    'ingest.reconciliations': { maintenance: 'SIU', inspection: 'S' },
    'ingest.replays': { maintenance: 'SIU', inspection: 'S' },
    'ingest.transform_lease': { ingest: 'SU', maintenance: 'SU', transform: 'SU' },
    'ingest.transform_watermarks': { maintenance: 'S', transform: 'SIU' },
    'ingest.transforms': { maintenance: 'S(id,outcome,read_below)', inspection: 'S', transform: 'SIU' },
    'intermediate.built': { transform: 'SIUDT' },
    'marts.built': { transform: 'SIUDT', reader: 'S' },
    'raw.documents': {
      ...{ ingest: 'I', transform: 'S' },
      erasure: 'D S(file_id,loaded_on)',
      maintenance: 'S(file_id,loaded_on)',
      documents: 'SIUDT',
    },
    'staging.built': { transform: 'SIUDT' },
  }

  test('on each table are these, and no others', async () => {
    const { rows } = await admin.execute<{ table: string; role: string; whole: string; single: string | null }>(sql`
      select
        relation.oid::regclass::text as table, role.rolname as role,
        (select coalesce(string_agg(left(kind, 1), '' order by position), '')
          from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) with ordinality as kinds (kind, position)
          where has_table_privilege(role.oid, relation.oid, kind)) as whole,
        (select string_agg(left(kind, 1) || '(' || columns || ')', ' ' order by kind)
          from unnest(array['SELECT', 'INSERT', 'UPDATE']) as kinds (kind),
            lateral (select string_agg(attname, ',' order by attname) as columns from pg_attribute
              where attrelid = relation.oid and attnum > 0
                and has_column_privilege(role.oid, relation.oid, attnum, kind)) as granted
          where columns is not null and not has_table_privilege(role.oid, relation.oid, kind)) as single
      from pg_class relation, pg_roles role
      where relation.relkind in ('r', 'p', 'v', 'm', 'f') and not relation.relispartition
        and relation.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
        and (role.rolname like 'sluice%' or role.rolname = 'nobody')`)
    const found: Record<string, Record<string, string>> = {}
    for (const { table, role, whole, single } of rows) {
      const permissions = [whole, single].filter(Boolean).join(' ')
      if (permissions) found[table] = { ...found[table], [role.replace('sluice_', '')]: permissions }
    }

    expect(found).toEqual(matrix)
  })

  test('on partitions, sequences and other databases are none', async () => {
    const { rows } = await admin.execute(sql`
      select relation.oid::regclass::text as name, role.rolname from pg_class relation, pg_roles role
      where role.rolname like 'sluice%' and relation.relnamespace::regnamespace::text in ('ingest', 'raw', 'drizzle')
        and case when relation.relkind = 'S' then has_sequence_privilege(role.oid, relation.oid, 'USAGE, SELECT, UPDATE')
          when relation.relispartition and relation.relkind = 'r' then has_table_privilege(role.oid, relation.oid, 'SELECT, INSERT, UPDATE, DELETE')
          else false end`)
    expect(rows).toEqual([])
  })

  test('on schemas are to use those that it works in, and to make things in its own', async () => {
    const { rows } = await admin.execute<{ role: string; use: string; make: string }>(sql`
      select role.rolname as role,
        string_agg(nspname, ' ' order by nspname) filter (where has_schema_privilege(role.oid, space.oid, 'USAGE')) as use,
        string_agg(nspname, ' ' order by nspname) filter (where has_schema_privilege(role.oid, space.oid, 'CREATE')) as make
      from pg_roles role, pg_namespace space
      where (role.rolname like 'sluice%' or role.rolname = 'nobody') and nspname !~ '^(pg_|information_schema)'
      group by role.rolname order by role.rolname`)

    expect(rows).toEqual([
      { role: 'nobody', use: null, make: null },
      { role: 'sluice_documents', use: 'raw', make: null },
      { role: 'sluice_erasure', use: 'ingest raw', make: null },
      { role: 'sluice_ingest', use: 'ingest raw', make: null },
      { role: 'sluice_inspection', use: 'ingest', make: null },
      { role: 'sluice_maintenance', use: 'ingest raw', make: null },
      { role: 'sluice_reader', use: 'marts', make: null },
      {
        role: 'sluice_transform',
        use: 'ingest intermediate marts raw staging',
        make: 'intermediate marts staging',
      },
    ])
  })

  test('of a role are no more than to log in, and of who owns the documents not even that', async () => {
    const { rows } = await admin.execute(sql`
      select rolname from pg_roles role where rolname like 'sluice%' and (
        rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
        or rolcanlogin <> (rolname <> 'sluice_documents')
      )`)
    expect(rows).toEqual([])
  })

  test('of maintenance are besides to become the owner of the documents, and nothing of his unless it does', async () => {
    const { rows } = await admin.execute(sql`
      select member::regrole::text as member, roleid::regrole::text as role, inherit_option as inherits, set_option as sets,
        admin_option as admits
      from pg_auth_members where member::regrole::text like 'sluice%'`)
    expect(rows).toEqual([
      { member: 'sluice_maintenance', role: 'sluice_documents', inherits: false, sets: true, admits: false },
    ])
  })

  test('of who has none are not even to connect', async () => {
    const nobody = open({ ...adminOf('sluice'), username: 'nobody', password: 'of-nobody' })
    expect(await attempt(nobody.execute('select 1'))).toBe(DENIED)
  })

  test('to make temporary tables has the transform alone', async () => {
    const outcomes = roles.map(async (role) => [role, await attempt(as(role).execute('create temp table t ()'))])
    expect(Object.fromEntries(await Promise.all(outcomes))).toEqual({
      ...{ erasure: DENIED, ingest: DENIED, inspection: DENIED, maintenance: DENIED, reader: DENIED },
      transform: 'done',
    })
  })
})

describe('a partition', () => {
  test('is made by maintenance, who can do nothing else to it', async () => {
    await admin.execute(sql`
      do $$ begin execute 'drop table raw.documents_' || to_char((now() at time zone 'UTC')::date + 30, 'YYYYMMDD'); end $$`)
    const maintenance = as('maintenance')

    const [name = ''] = await createPartitionsAhead(maintenance)

    expect(name).toMatch(/^documents_\d{8}$/)
    for (const statement of [`drop table raw.${name}`, `truncate raw.${name}`, `select from raw.${name}`])
      expect(await attempt(maintenance.execute(statement))).toBe(DENIED)
    expect(await attempt(maintenance.execute('create table raw.another ()'))).toBe(DENIED)
  })

  test('is made for a day of the next year only', async () => {
    const maintenance = as('maintenance')
    for (const day of ["'1999-12-31'", "'9999-12-31'", "'infinity'", 'null'])
      expect(await attempt(maintenance.execute(`select raw.create_partition(${day})`))).toMatch(/^22/)
  })

  const others = ['erasure', 'ingest', 'inspection', 'reader', 'transform'] as const

  test.each(others)('is not made, detached or dropped by %s', async (role) => {
    expect(await attempt(as(role).execute(`select raw.create_partition(current_date + 40)`))).toBe(DENIED)
    expect(await attempt(as(role).execute(`select raw.drop_partition('2020-01-01')`))).toBe(DENIED)
    expect(await attempt(as(role).execute('set role sluice_documents'))).toBe(DENIED)
  })

  test('of an old day is detached and dropped by maintenance, in its own name not even detached', async () => {
    const { day, partition } = await makePastDay(admin, 40)
    await succeedTransform(admin)
    const maintenance = as('maintenance')

    const detach = `alter table raw.documents detach partition raw.${partition} concurrently`
    expect(await attempt(maintenance.execute(detach))).toBe(DENIED)
    expect(await dropDay(maintenance, { day, state: 'attached' })).toBe('dropped')
    expect(await pastPartitions(admin)).toEqual([])
  })

  test('is dropped by its function only when it is detached, and its day ended a week ago', async () => {
    const maintenance = as('maintenance')
    const young = await makePastDay(admin, 7, [])
    const old = await makePastDay(admin, 8, [])
    const drop = ({ day }: { day: string }) => attempt(maintenance.execute(`select raw.drop_partition('${day}')`))

    expect(await drop(old)).toBe('55006')
    for (const { partition } of [young, old])
      await admin.execute(`alter table raw.documents detach partition raw.${partition}`)
    expect(await drop(young)).toBe('22023')
    expect(await drop({ day: 'infinity' })).toMatch(/^22/)
    expect(await drop(old)).toBe('done')
    expect(await pastPartitions(admin)).toEqual([young.partition])
    await admin.execute(`drop table raw.${young.partition}`)
  })

  test('is not dropped by its function when it is a table of another name', async () => {
    expect(await attempt(as('maintenance').execute(`select raw.drop_partition('2020-01-01')`))).toBe('42P01')
  })
})

describe('the marts', () => {
  test('are read by the reader without a schema, what is built later too, and nothing else is', async () => {
    const transform = as('transform')
    await transform.execute('create table marts.later as select 2 as two')
    const reader = as('reader')

    expect((await reader.execute('select * from built')).rows).toEqual([{ one: 1 }])
    expect((await reader.execute('select * from later')).rows).toEqual([{ two: 2 }])
    for (const table of ['staging.built', 'intermediate.built', 'ingest.files', 'raw.documents'])
      expect(await attempt(reader.execute(`select from ${table}`))).toBe(DENIED)
    expect(await attempt(reader.execute('delete from built'))).toBe(DENIED)
    await transform.execute('drop table marts.later')
  })
})

describe('the limits', () => {
  const limitsOf = async (database: Database) => {
    const { rows } = await database.execute<Record<string, string>>(sql`
      select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
        current_setting('idle_in_transaction_session_timeout') as idle, current_setting('transaction_timeout') as transaction,
        current_setting('search_path') as path`)
    return rows[0]
  }
  const ofFunctions = {
    statement: '30s',
    lock: '10s',
    idle: '10s',
    transaction: '45s',
    path: 'pg_catalog',
  }
  const none = { statement: '0', lock: '0', idle: '0', transaction: '0' }

  test.each([
    ['ingest', ofFunctions],
    ['maintenance', ofFunctions],
    ['inspection', ofFunctions],
    ['erasure', ofFunctions],
    ['transform', { ...none, path: 'pg_catalog' }],
    ['reader', { ...none, statement: '5min', idle: '5min', path: 'marts' }],
  ] as const)('of %s are set by its role', async (role, limits) => {
    expect(await limitsOf(as(role))).toEqual(limits)
  })

  test('are not set for who migrates', async () => {
    expect(await limitsOf(admin)).toEqual({ ...none, path: '"$user", public' })
  })
})

describe('the questions of', () => {
  const file = fileRecord({ status: 'loaded' })
  const replay = { executionName: 'replay', requestedBy: 'arn:ada', why: 'x', selection: {} }
  const compared = { listed: 1, ignored: 0, ignoredExamples: [], missing: 1, missingExamples: ['input/1.json'] }
  const progress = { ...compared, keyMarker: null, versionIdMarker: null }
  const since = new Date(0)
  const result = {
    files: 1,
    bytes: 1,
    loaded: 1,
    poison: 0,
    vanished: 0,
    repeated: 0,
    executionName: 'e',
    executionInput: '{}',
  }
  const opening = { requestId: 'r', receivedAt: new Date(), messages: 1 }
  const json = Buffer.from('{}')
  const object = { bucket: 'b', key: 'k' }
  const listed = { versionId: 'v', sizeBytes: 1, lastModifiedAt: new Date(0) }

  /** By name, as the functions ask them. */
  const questions: Partial<Record<Role, Record<string, (database: Database) => Promise<unknown>>>> = {
    ingest: {
      findKnownVersions: (db) => findKnownVersions(db, [file]),
      beginAttempt: (db) => beginAttempt(db, file),
      endAttempt: (db) => endAttempt(db, file),
      openBatch: (db) => openBatch(db, opening),
      closeBatch: (db) => closeBatch(db, 1, result),
      markExecutionStarted: (db) => markExecutionStarted(db, 1),
      findRefusedDocuments: (db) => findRefusedDocuments(db, [json]),
      insertDocuments: async (db) =>
        insertDocuments(db, new Date().toISOString().slice(0, 10), [{ fileId: 1, source: 'orders', bytes: json }]),
      recordFiles: (db) => recordFiles(db, [file]),
      keepMessages: (db) => keepMessages(db, null, [{ messageId: 'm', body: 'b', reason: 'r' }]),
      claimTransform: (db) => claimTransform(db, 'test', 60),
      findFiles: (db) => findFiles(db, [1]),
    },
    maintenance: {
      claimDeadLetters: (db) => claimDeadLetters(db, { drain: 'd', round: 0, limit: 1, leaseSeconds: 1 }),
      summarizeDrain: (db) => summarizeDrain(db, 'd'),
      countDeadLetters: (db) => countDeadLetters(db),
      findUnstartedBatches: (db) => findUnstartedBatches(db, { afterMinutes: 1, untilDays: 1, limit: 1 }),
      markExecutionStarted: (db) => markExecutionStarted(db, 1),
      findForgottenPoison: (db) => findForgottenPoison(db, 1, 1),
      countPartitionDaysAhead: (db) => countPartitionDaysAhead(db),
      createPartitionsAhead: (db) => createPartitionsAhead(db, 45),
      findOldDays: (db) => findOldDays(db, 30),
      dropDay: async (db) => dropDay(db, { ...(await makePastDay(admin, 40)), state: 'attached' }),
      claimTransform: (db) => claimTransform(db, 'test', 60),
      openReplay: (db) => openReplay(db, replay),
      selectForReplay: (db) => selectForReplay(db, {}, { afterId: 0, limit: 1 }),
      noteReplayProgress: (db) => noteReplayProgress(db, 1, { sentUpToId: 1, filesSent: 1, isDone: true }),
      openReconciliation: (db) => openReconciliation(db, { ...replay, isBackfill: true, prefix: 'input/' }),
      noteReconciled: (db) => noteReconciled(db, 1, { ...progress, isDone: true }),
      findKnownVersions: (db) => findKnownVersions(db, [file]),
      findRefusedDocuments: (db) => findRefusedDocuments(db, [json]),
      findFiles: (db) => findFiles(db, [1]),
      recordFiles: (db) => recordFiles(db, [file]),
      keepMessages: (db) => keepMessages(db, null, [{ messageId: 'n', body: 'b', reason: 'r' }]),
    },
    inspection: {
      listBatches: (db) => listBatches(db, 1),
      countRefusalsByKind: (db) => countRefusalsByKind(db, {}),
      listRefusals: (db) => listRefusals(db, {}, 1),
      countFilesByStatus: (db) => countFilesByStatus(db),
      countErased: (db) => countErased(db),
      countSuperseded: (db) => countSuperseded(db),
      measureBatchSizes: (db) => measureBatchSizes(db, since),
      measurePutToCommit: (db) => measurePutToCommit(db, since),
      measureUnreadableMessages: (db) => measureUnreadableMessages(db, since),
      measureUnstarted: (db) => measureUnstarted(db),
      listTransforms: (db) => listTransforms(db, 1),
      findLastReconciliation: (db) => findLastReconciliation(db),
      measureMarts: (db) => measureMarts(db),
      listErasures: (db) => listErasures(db, object, 1),
      countVersionsOfKey: (db) => countVersionsOfKey(db, 'b', 'k'),
      findKeyOfCopy: (db) => findKeyOfCopy(db, 1, 'k'),
      listVersionsOfKey: (db) => listVersionsOfKey(db, 'b', 'k', 1),
    },
    erasure: {
      listFilesOfKey: (db) => listFilesOfKey(db, object),
      countErasable: (db) => countErasable(db, object, ['k']),
      beginErasure: (db) => beginErasure(db, { ...object, requestedBy: 'arn:ada', why: 'x' }),
      eraseFromDatabase: (db) => eraseFromDatabase(db, object, { source: null, versions: [listed], spellings: ['k'] }),
      completeErasure: (db) =>
        completeErasure(db, object, 1, { versions: 0, copies: 0, documents: 0, reasons: 0, messages: 0, files: 0 }),
    },
  }

  /** Folders of functions by their role, as `infra/` has it. */
  const folders: Record<string, readonly string[]> = {
    ingest: ['ingest', 'load-file'],
    inspection: ['read-ledger'],
    erasure: ['erase-file'],
    maintenance: [
      ...['claim-dead-letters', 'claim-transform', 'collect-dead-letters', 'quarantine-files', 'reconcile-files'],
      ...['replay-files', 'sweep'],
    ],
  }

  const notQuestions = ['errorCode', 'identityOf', 'isDataRefused']

  /** What the functions import of `db/`. */
  const askedBy = (role: string): string[] => {
    const sources = (folders[role] ?? []).flatMap((name) =>
      readdirSync(join('handlers', name)).map((each) => readFileSync(join('handlers', name, each), 'utf8')),
    )
    const imports = sources.flatMap((source) => [...source.matchAll(/import \{([^}]*)\} from '\.\.\/\.\.\/db\//g)])
    const names = imports.flatMap(([, list = '']) => list.split(',').map((name) => name.trim()))
    return [...new Set(names)].filter((name) => /^[a-z]\w*$/.test(name) && !notQuestions.includes(name)).sort()
  }

  test.each(['ingest', 'maintenance', 'inspection', 'erasure'] as const)(
    '%s are all answered to its role',
    async (role) => {
      const asked = questions[role] ?? {}
      const database = as(role)

      expect(Object.keys(asked).sort()).toEqual(askedBy(role))
      for (const [name, ask] of Object.entries(asked))
        expect([name, await attempt(ask(database))]).toEqual([name, 'done'])
    },
  )

  test('each function that asks any belong to a role', () => {
    const withQuestions = readdirSync('handlers', { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .filter((name) =>
        readdirSync(join('handlers', name)).some((each) =>
          /from '\.\.\/\.\.\/db\/(?!schema)/.test(readFileSync(join('handlers', name, each), 'utf8')),
        ),
      )
    expect(withQuestions.sort()).toEqual(Object.values(folders).flat().sort())
  })
})

describe('several databases of one server', () => {
  test('are migrated at once, and given passwords at once', async () => {
    const databases = ['second', 'third', 'second', 'third'].map((name) => open(adminOf(name)))
    const outcomes = await Promise.all(
      databases.map((database) =>
        attempt(migrateDatabase(database, MIGRATIONS).then(() => setPasswords(database, PASSWORDS))),
      ),
    )

    expect(outcomes).toEqual(['done', 'done', 'done', 'done'])
    expect(await attempt(as('reader', { dbname: 'second' }).execute('select 1'))).toBe('done')
  })
})

describe('a password', () => {
  // A rotation on AWS logs in as the role itself. A role whose transactions were read-only could not.
  test.each(roles)('of %s is changed by the role itself', async (role) => {
    const name = `sluice_${role}`
    expect(await attempt(as(role).execute(`alter user ${name} with password 'rotated'`))).toBe('done')
    expect(await attempt(as(role, { password: 'rotated' }).execute('select 1'))).toBe('done')
    await setPasswords(admin, PASSWORDS)
  })

  test('is set anew, without being sent to the server, and the one before is refused', async () => {
    const statements: string[] = []
    const watched = open(adminOf('sluice'))
    watched.$client.on('connect', (client) => {
      const query = client.query.bind(client)
      client.query = ((...given: Parameters<typeof query>) => {
        statements.push(JSON.stringify(given))
        return query(...given)
      }) as typeof query
    })
    const reader = as('reader')
    await reader.execute('select 1')

    await setPasswords(watched, { ...PASSWORDS, reader: "it's new" })

    expect(await attempt(reader.execute('select 1'))).toBe('done')
    expect(await attempt(as('reader', { password: "it's new" }).execute('select 1'))).toBe('done')
    expect(await attempt(as('reader').execute('select 1'))).toBe('28P01')
    expect(statements.join()).toContain('SCRAM-SHA-256$4096:')
    expect(statements.join()).not.toContain('s new')
    await setPasswords(watched, PASSWORDS)
  })
})
