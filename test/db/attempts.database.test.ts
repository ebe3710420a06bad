import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Attempt, beginAttempt, endAttempt } from '../../db/attempts.ts'
import { files } from '../../db/schema.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { fileRecord } from '../support/ledger.ts'

let ledger: TestDatabase
beforeAll(async () => {
  ledger = await createDatabase()
})
afterAll(() => ledger[Symbol.asyncDispose]())

const attemptsOf = async ({ key }: { key: string }) => {
  const [row] = await ledger.database.select().from(files).where(eq(files.key, key))
  return [row?.attemptsBegun, row?.attemptsEnded]
}

test('a begin that was committed unheard, and is asked for again, counts once', async () => {
  const file = fileRecord({ status: 'attempted' })
  const attempt: Attempt = {}
  for (let asked = 0; asked < 3; asked++) await beginAttempt(ledger.database, file, attempt)

  expect(await attemptsOf(file)).toEqual([1, 0])
})

test('a begin that was not committed, and is asked for again, counts', async () => {
  const file = fileRecord({ status: 'attempted' })
  const attempt: Attempt = {}
  const lost = ledger.database.transaction(async (transaction) => {
    await beginAttempt(transaction, file, attempt)
    throw new Error('the connection is lost')
  })
  await expect(lost).rejects.toThrow('the connection is lost')

  await beginAttempt(ledger.database, file, attempt)

  expect(await attemptsOf(file)).toEqual([1, 0])
})

test('two attempts count as two', async () => {
  const file = fileRecord({ status: 'attempted' })
  await beginAttempt(ledger.database, file, {})
  await beginAttempt(ledger.database, file, {})

  expect(await attemptsOf(file)).toEqual([2, 0])
})

test('an end that is noted again does not end an attempt that never began', async () => {
  const file = fileRecord({ status: 'attempted' })
  await beginAttempt(ledger.database, file, {})
  await endAttempt(ledger.database, file)
  await endAttempt(ledger.database, file)

  expect(await attemptsOf(file)).toEqual([1, 1])
})

test('a begin that was given up, unheard, is ended when it was committed, and only then', async () => {
  const [committed, lost] = [fileRecord({ status: 'attempted' }), fileRecord({ status: 'attempted' })]
  const [heard, unheard]: Attempt[] = [{}, {}]
  await beginAttempt(ledger.database, committed, heard)
  await beginAttempt(ledger.database, lost, {})
  const broken = ledger.database.transaction(async (transaction) => {
    await beginAttempt(transaction, lost, unheard)
    throw new Error('the connection is lost')
  })
  await expect(broken).rejects.toThrow('the connection is lost')

  await endAttempt(ledger.database, committed, heard)
  await endAttempt(ledger.database, lost, unheard)

  expect([await attemptsOf(committed), await attemptsOf(lost)]).toEqual([
    [1, 1],
    [1, 0],
  ])
})
