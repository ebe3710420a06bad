import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DbtDatabase, startDbtDatabase } from '../../support/dbt.ts'
import { type DbtProcess, startDbt } from './dbt-process.ts'
import { loadFiles, type Put } from './load-files.ts'
import { Puts, program } from './program.ts'
import { marts, records, rowsOf, select } from './relations.ts'

let db: DbtDatabase
let dbt: DbtProcess
beforeAll(async () => {
  db = await startDbtDatabase()
  dbt = await startDbt(db)
})
afterAll(async () => {
  await dbt[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
})

async function run(...args: string[]): Promise<void> {
  const { status, stdout } = await dbt.run('run', ...args)
  expect(status, stdout).toBe(0)
}

/** Programs that share a database: a run of dbt costs seconds, whatever it reads. */
const PROGRAMS = 4

test('whatever comes in whatever order, runs add up to what a rebuild makes', async () => {
  const programs = fc.array(program, { minLength: PROGRAMS, maxLength: PROGRAMS })
  await fc.assert(
    fc.asyncProperty(programs, async (given) => {
      const puts = given.map((_, n) => new Puts(`p${n}`))
      const rounds = Math.max(...given.map((rounds) => rounds.length))
      for (let round = 0; round < rounds; round++) {
        for (const [n, program] of given.entries()) {
          for (const batch of batchesOf(program[round]?.flatMap((step) => puts[n]?.take(step) ?? []) ?? []))
            await loadFiles(db.database, batch)
        }
        await run()
        const orders = await select(db.database, 'select order_id, version_id from marts.orders')
        expect(
          new Map(orders.map(({ order_id, version_id }) => [order_id, version_id])),
          `orders after round ${round}`,
        ).toEqual(new Map(puts.flatMap((put) => [...put.orders()])))
      }

      const tables = [...records, ...marts]
      const added = new Map<string, string[]>()
      for (const table of tables) added.set(table, await rowsOf(db.database, table))
      await run('--full-refresh')
      for (const table of tables) {
        const rows = await rowsOf(db.database, table)
        expect(rows.length, `rows of ${table}`).toBeGreaterThan(0)
        expect(added.get(table), table).toEqual(rows)
      }
    }),
    // To make a failing program smaller would take hours.
    { numRuns: 1, endOnFailure: true },
  )
}, 120_000)

/** Puts in batches of at most five, a version once in each. */
function batchesOf(puts: readonly Put[]): Put[][] {
  const batches: Put[][] = [[]]
  for (const put of puts) {
    const last = batches.at(-1)
    if (last === undefined || last.length === 5 || last.some(({ versionId }) => versionId === put.versionId))
      batches.push([put])
    else last.push(put)
  }
  return batches
}
