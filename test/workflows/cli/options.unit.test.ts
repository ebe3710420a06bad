import { describe, expect, test, vi } from 'vitest'
import { objectName } from '../../../workflows/cli/commands/explain.ts'
import { instant, wholeNumber } from '../../../workflows/cli/options.ts'

describe('a time', () => {
  test.each([
    ['30m', '2026-11-24T16:30:00.000Z'],
    ['2h', '2026-11-24T15:00:00.000Z'],
    ['3d', '2026-11-21T17:00:00.000Z'],
    ['2026-11-24', '2026-11-24T00:00:00.000Z'],
    ['2026-11-24T10:00', '2026-11-24T10:00:00.000Z'],
    ['2026-11-24 10:00:01.5', '2026-11-24T10:00:01.500Z'],
    ['2026-11-24T10:00+02:00', '2026-11-24T08:00:00.000Z'],
  ])('%s is %s at 17:00, wherever the laptop is', (text, expected) => {
    vi.useFakeTimers({ now: new Date('2026-11-24T17:00:00Z') })
    vi.stubEnv('TZ', 'Asia/Tokyo')
    expect(instant(text).toISOString()).toBe(expected)
    vi.unstubAllEnvs()
    vi.useRealTimers()
  })

  test.each(['yesterday', '2', '2w', '-2h', '2026-13-01', '24.11.2026', ''])('cannot be "%s"', (text) => {
    expect(() => instant(text)).toThrow('Give a time in UTC')
  })
})

test('a whole number lies between 1 and its maximum', () => {
  expect([wholeNumber(500)('1'), wholeNumber(500)('500')]).toEqual([1, 500])
  for (const text of ['0', '501', '-1', '1.5', '1e2', '', 'ten'])
    expect(() => wholeNumber(500)(text)).toThrow('1 to 500')
})

test('an object is named by its key, or by its address', () => {
  expect(objectName('input/orders/a b.json')).toEqual({ key: 'input/orders/a b.json' })
  expect(objectName('s3://bucket/input/orders/a b.json')).toEqual({ bucket: 'bucket', key: 'input/orders/a b.json' })
  for (const text of ['s3://', 's3://bucket', 's3://bucket/']) expect(() => objectName(text)).toThrow('Give a key')
})
