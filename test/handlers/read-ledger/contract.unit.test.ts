import { expect, test } from 'vitest'
import { BATCHES_MAX, parseQuestion, REFUSALS_MAX } from '../../../handlers/read-ledger/contract.ts'

test('a question keeps its times through JSON', () => {
  const question = { question: 'status', since: new Date('2026-11-24T17:00:00.123Z') } as const
  expect(parseQuestion(JSON.parse(JSON.stringify(question)))).toEqual(question)
})

test.each([
  ['that is none', {}, 'question'],
  ['of another release', { question: 'replays' }, 'question'],
  ['without a key', { question: 'explain', key: '' }, 'key'],
  ['for more refused files than an answer holds', { question: 'quarantine', limit: REFUSALS_MAX + 1 }, 'limit'],
  ['for more batches than an answer holds', { question: 'batches', limit: BATCHES_MAX + 1 }, 'limit'],
])('a question %s is refused, naming the place', (_, input, place) => {
  expect(() => parseQuestion(input)).toThrow(
    expect.objectContaining({ name: 'InvalidInput', message: expect.stringContaining(place) }),
  )
})
