/** The demo's inputs are what `npm start` says they are. No cloud is started here. */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { judgeDocument, judgeUnclaimed, type Verdict } from '../../handlers/ingest/judge.ts'
import { findSource } from '../../handlers/sources/registry.ts'
import { badFiles } from '../../infra/local/demo/bad-files.ts'
import { githubDeliveries } from '../../infra/local/demo/deliveries.ts'
import { earthquakeFeeds } from '../../infra/local/demo/earthquakes.ts'
import { makeInputs } from '../../infra/local/demo/inputs.ts'
import { isInput, noiseObjects } from '../../infra/local/demo/noise.ts'
import { generateOrders } from '../../infra/local/demo/orders.ts'
import type { NewObject } from '../../infra/local/demo/put-objects.ts'
import { generateStockMovements } from '../../infra/local/demo/stock-movements.ts'

function judge({ key, body }: NewObject): Verdict {
  const source = findSource(key)
  return source === undefined ? judgeUnclaimed([]) : judgeDocument(source, body)
}

/** Keys of the objects that would not be loaded. */
const refused = (objects: readonly NewObject[]): string[] =>
  objects.filter((object) => judge(object).status !== 'loaded').map(({ key }) => key)

const recordsOf = (objects: readonly NewObject[]): number =>
  objects.map(judge).reduce((sum, verdict) => sum + (verdict.status === 'loaded' ? verdict.records : 0), 0)

describe('orders', () => {
  test('are all of about 50 KB', () => {
    const sizes = generateOrders(200).map(({ body }) => body.length)

    expect(Math.min(...sizes)).toBeGreaterThan(47_000)
    expect(Math.max(...sizes)).toBeLessThan(53_000)
  })

  test('are the same at every call, and others with another seed', () => {
    const [first, again, other] = [generateOrders(3), generateOrders(3), generateOrders(3, 2)]

    expect(again).toEqual(first)
    expect(other[0]?.body).not.toEqual(first[0]?.body)
  })

  test('keep the contract of their source', () => {
    expect(refused(generateOrders(200))).toEqual([])
  })

  test('have a total that is the sum of their lines', () => {
    const [order] = generateOrders(1)
    const { total, lines } = JSON.parse(String(order?.body)) as {
      total: number
      lines: { quantity: number; unit_price: number }[]
    }

    expect(lines.reduce((sum, { quantity, unit_price }) => sum + quantity * unit_price, 0)).toBeCloseTo(total)
  })
})

test('the deliveries of GitHub are 329 and keep the contract of their source', () => {
  const deliveries = githubDeliveries()

  expect(deliveries).toHaveLength(329)
  expect(refused(deliveries)).toEqual([])
})

describe('earthquake feeds', () => {
  const feeds = earthquakeFeeds()

  test('keep the contract of their source, one of each hour of a week', () => {
    expect(refused(feeds)).toEqual([])
    expect(feeds.map(({ key }) => key)).toContain('input/earthquakes/2018-02-07T01.json')
    expect(feeds).toHaveLength(169)
  })

  test('have all 1,707 earthquakes of the package', () => {
    expect(recordsOf(feeds)).toBe(1_707)
  })
})

describe('stock movements', () => {
  test('keep the contract of their source, and are counted one a line', () => {
    const files = generateStockMovements(20)

    expect(files).toHaveLength(60)
    expect(refused(files)).toEqual([])
    expect(recordsOf(files)).toBe(
      files.map(({ body }) => String(body).trim().split('\n').length).reduce((a, b) => a + b),
    )
  })

  test('are the same at every call', () => {
    expect(generateStockMovements(2)).toEqual(generateStockMovements(2))
  })
})

describe('bad files', () => {
  test('are twenty-eight, each with a body of its own', () => {
    // One of them is a good order in the wrong place.
    expect(new Set(badFiles.map(({ body }) => body.toString())).size).toBe(28)
  })

  test('all arrive at the queue', () => {
    expect(badFiles.filter(({ key }) => !isInput(key))).toEqual([])
  })

  test.each(badFiles.filter(({ kind }) => kind !== 'database-refused'))('$key is refused: $kind at $path', (file) => {
    expect(judge(file)).toMatchObject({ status: 'poison', reason: { kind: file.kind, issues: [{ path: file.path }] } })
  })

  test.each(badFiles.filter(({ kind }) => kind === 'database-refused'))('$key is left to the database', (file) => {
    expect(judge(file)).toMatchObject({ status: 'loaded' })
  })
})

describe('noise', () => {
  test('is 400 objects that the filter keeps from the queue', () => {
    const noise = noiseObjects()

    expect(noise).toHaveLength(400)
    expect(noise.filter(({ key }) => isInput(key))).toEqual([])
  })
})

describe('all inputs', () => {
  const { waves, sorts } = makeInputs()
  const [first = [], newer = []] = waves

  test('are as many as README and usage say', async () => {
    const count = `${waves.flat().length.toLocaleString('en-US')} objects`

    expect([...sorts.values()].reduce((sum, sort) => sum + sort)).toBe(waves.flat().length)
    const says = async (file: string) => (await readFile(file, 'utf8')).includes(count)
    expect([count, await says('README.md'), await says('infra/local/start.ts')]).toEqual([count, true, true])
  })

  test('have keys of their own, bad ones and noise among the good', () => {
    expect(new Set(first.map(({ key }) => key)).size).toBe(first.length)
    const positions = first.flatMap(({ fate }, position) => (fate.state === 'quarantined' ? [position] : []))
    expect(Math.max(...positions) - Math.min(...positions)).toBeGreaterThan(1_000)
  })

  test('have newer versions of keys that were put before', () => {
    const before = new Set(first.map(({ key }) => key))
    expect(newer.filter(({ key }) => !before.has(key))).toEqual([])
  })

  test('are judged as their fate says', () => {
    const judged = waves.flat().filter(({ key }) => isInput(key))
    const wrong = judged.filter((object) => {
      const verdict = judge(object)
      if (object.fate.state !== 'quarantined') return verdict.status !== 'loaded'
      if (object.fate.kind === 'database-refused') return verdict.status !== 'loaded'
      const { kind, path } = object.fate
      return verdict.status !== 'poison' || verdict.reason.kind !== kind || verdict.reason.issues[0]?.path !== path
    })
    expect(wrong.map(({ key }) => key)).toEqual([])
  })
})
