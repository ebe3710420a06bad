import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contractions } from './expand-only.ts'

const folder = join(import.meta.dirname, '../../db/migrations')
const files = readdirSync(folder).filter((file) => file.endsWith('.sql'))

test.each(files)('%s takes nothing away, or says which release stopped using it', (file) => {
  expect(contractions(readFileSync(join(folder, file), 'utf8'))).toEqual([])
})

describe('what takes something away', () => {
  test.each([
    ['drops', 'DROP TABLE "ingest"."replays";'],
    ['drops', 'ALTER TABLE "ingest"."files" DROP COLUMN "reason";'],
    ['drops', 'ALTER TABLE ingest.files DROP reason'],
    ['drops', 'drop view if exists ingest.current_files'],
    ['drops', 'ALTER TABLE ingest.files ALTER COLUMN attempts_begun DROP DEFAULT'],
    ['drops', 'ALTER TABLE ingest.files DROP CONSTRAINT files_identity'],
    ['drops', `DO $$ BEGIN EXECUTE 'DROP INDEX ingest.files_batch'; END $$`],
    ['empties', 'TRUNCATE ingest.messages'],
    ['renames', 'ALTER TABLE ingest.files RENAME COLUMN reason TO why'],
    ['renames', `ALTER TYPE ingest.file_status RENAME VALUE 'poison' TO 'refused'`],
    ['moves', 'ALTER TABLE ingest.files SET SCHEMA other'],
    ['takes a permission away', 'REVOKE SELECT ON ingest.files FROM dbt'],
    ['changes a type', 'ALTER TABLE "ingest"."files" ALTER COLUMN "records" SET DATA TYPE bigint;'],
    ['changes a type', 'ALTER TABLE ingest.files ALTER records TYPE bigint'],
    ['forbids null', 'ALTER TABLE ingest.files ALTER COLUMN source SET NOT NULL'],
    ['adds a column that every insert must give', 'ALTER TABLE ingest.files ADD COLUMN region text NOT NULL'],
    ['refuses rows that were good', 'ALTER TABLE ingest.files ADD CONSTRAINT some CHECK (records > 0)'],
    ['refuses rows that were good', 'ALTER TABLE ingest.batches ADD CONSTRAINT one UNIQUE ("request_id")'],
    ['refuses rows that were good', 'CREATE UNIQUE INDEX one ON ingest.batches USING btree (request_id)'],
  ])('%s: %s', (what, statement) => {
    const migration = `CREATE TABLE ingest.fine ();\n--> statement-breakpoint\n${statement}`
    expect(contractions(migration)).toEqual([`2 ${what}: ${statement}`])

    const marked = `CREATE TABLE ingest.fine ();\n--> statement-breakpoint\n-- contract: 0.4.0\n${statement}`
    expect(contractions(marked)).toEqual([])
    expect(contractions(marked.replace('contract: 0.4.0', 'contract:'))).toHaveLength(1)
  })

  test('is allowed only where the marker stands', () => {
    const migration = '-- contract: 0.4.0\nDROP TABLE a;--> statement-breakpoint\nDROP TABLE b;'
    expect(contractions(migration)).toEqual(['2 drops: DROP TABLE b;'])
  })
})

describe('what only adds', () => {
  test.each([
    'ALTER TABLE ingest.files ADD COLUMN region text',
    `ALTER TABLE ingest.files ADD COLUMN region text DEFAULT 'eu' NOT NULL`,
    'ALTER TABLE ingest.files ALTER COLUMN source DROP NOT NULL',
    'CREATE INDEX files_region ON ingest.files USING btree (source)',
    `ALTER TYPE ingest.file_status ADD VALUE 'late'`,
    '-- A column is dropped, or renamed, later.\nCREATE OR REPLACE VIEW ingest.current_files AS (select 1)',
    'CREATE TABLE a (id bigint, CONSTRAINT b CHECK (id > 0));--> statement-breakpoint\nALTER TABLE a ADD CONSTRAINT c UNIQUE (id)',
    'ALTER TABLE a ADD COLUMN b bigint;--> statement-breakpoint\nALTER TABLE a ADD CONSTRAINT c FOREIGN KEY ("b") REFERENCES d("id")',
  ])('%s', (migration) => {
    expect(contractions(migration)).toEqual([])
  })
})
