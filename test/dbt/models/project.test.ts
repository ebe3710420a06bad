import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { sources } from '../../../handlers/sources/registry.ts'
import { DBT, installDbt, PYTHON, pythonEnvironment, runProcess } from '../../support/dbt.ts'

const node = z.object({
  name: z.string(),
  resource_type: z.string(),
  description: z.string(),
  raw_code: z.string().default(''),
  columns: z.record(z.string(), z.object({ description: z.string() })),
})
const source = z.object({
  source_name: z.string(),
  name: z.string(),
  config: z.object({
    meta: z.object({ source: z.string().optional() }),
    loaded_at_query: z.string().nullish(),
    freshness: z
      .object({
        warn_after: z.object({ count: z.number().nullable(), period: z.string().nullable() }).nullish(),
        error_after: z.object({ count: z.number().nullable() }).nullish(),
      })
      .nullish(),
  }),
})
const manifestSchema = z.object({
  nodes: z.record(z.string(), z.unknown()),
  sources: z.record(z.string(), source),
})

const target = mkdtempSync(join(tmpdir(), 'sluice-dbt-'))
afterAll(() => rmSync(target, { recursive: true, force: true }))

let manifest: z.infer<typeof manifestSchema>
beforeAll(async () => {
  await installDbt()
  // Reading a project connects to nothing, and still wants to know where the database would be.
  const database = { PGHOST: 'nowhere', PGDATABASE: 'none', PGUSER: 'nobody', PGPASSWORD: 'nothing' }
  const parsed = await runProcess(PYTHON, ['-m', 'dbt.cli.main', 'parse', '--warn-error'], {
    cwd: DBT,
    env: { ...pythonEnvironment, ...database, DBT_PROFILES_DIR: DBT, DBT_TARGET_PATH: target, DBT_LOG_PATH: target },
  })
  expect(parsed.status, parsed.stdout + parsed.stderr).toBe(0)
  manifest = manifestSchema.parse(JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8')))
})

const tableOf = (name: string): string => name.replaceAll('-', '_')

test.each(sources)('dbt knows the source $name, and when it is overdue', ({ name, expectedEveryHours }) => {
  const config = manifest.sources[`source.sluice.documents.${tableOf(name)}`]?.config
  expect(
    config?.meta.source,
    `dbt/models/sources.yml: add to the source documents a table ${tableOf(name)} with meta: { source: ${name} }`,
  ).toBe(name)
  expect(
    config?.freshness?.warn_after,
    `dbt/models/sources.yml: ${tableOf(name)} is overdue after the hours of handlers/sources/${name}.ts`,
  ).toEqual({ count: expectedEveryHours, period: 'hour' })
  // A source that is silent must not keep the marts from what the others bring.
  expect(config?.freshness?.error_after?.count ?? null).toBeNull()
  expect(config?.loaded_at_query).toContain(`source = '${name}'`)
})

test('dbt knows no source that Sluice does not', () => {
  const known = Object.values(manifest.sources).flatMap(({ config }) => config.meta.source ?? [])
  expect(new Set(known)).toEqual(new Set(sources.map(({ name }) => name)))
})

const models = () =>
  Object.values(manifest.nodes).flatMap((given) => {
    const parsed = node.safeParse(given)
    return parsed.success && parsed.data.resource_type === 'model' ? [parsed.data] : []
  })

test('every model says what one row of it is, in its documentation and in its file', () => {
  expect(models().length).toBeGreaterThanOrEqual(17)
  for (const { name, description, raw_code } of models()) {
    expect(description, `description of ${name}`).toMatch(/^One row per /)
    expect(raw_code, `first line of ${name}.sql`).toMatch(/^-- Grain: one row per /)
  }
})

test('every documented column has a description', () => {
  for (const { name, columns } of models()) {
    for (const [column, { description }] of Object.entries(columns)) {
      expect(description, `description of ${name}.${column}`).not.toBe('')
    }
  }
})

test('models below staging read models, not sources', () => {
  for (const { name, raw_code } of models()) {
    if (name.startsWith('stg_')) continue
    expect(raw_code, name).not.toMatch(/source\(|current_documents\(/)
  }
})
