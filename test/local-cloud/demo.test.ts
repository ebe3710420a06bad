/** The demo's inputs are what `npm start` says they are. No cloud is started here. */
import { describe, expect, test } from 'vitest'
import { judgeDocument, judgeUnclaimed, type Verdict } from '../../handlers/ingest/judge.ts'
import { findSource } from '../../handlers/sources/registry.ts'
import { badFiles } from '../../infra/local/demo/bad-files.ts'
import { githubDeliveries } from '../../infra/local/demo/deliveries.ts'
import { makeInputs } from '../../infra/local/demo/inputs.ts'
import { isInput, noiseObjects } from '../../infra/local/demo/noise.ts'
import { generateOrders } from '../../infra/local/demo/orders.ts'
import type { NewObject } from '../../infra/local/demo/put-objects.ts'

function judge({ key, body }: NewObject): Verdict {
  const source = findSource(key)
  return source === undefined ? judgeUnclaimed([]) : judgeDocument(source, body)
}

/** Keys of the objects that would not be loaded. */
const refused = (objects: readonly NewObject[]): string[] =>
  objects.filter((object) => judge(object).status !== 'loaded').map(({ key }) => key)

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

describe('bad files', () => {
  test('are twenty, each with a body of its own', () => {
    // One of them is a good order in the wrong place.
    expect(new Set(badFiles.map(({ body }) => body.toString())).size).toBe(20)
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

test('no two objects have the same key, and bad ones and noise lie among the good', () => {
  const { shuffled, bad } = makeInputs()

  expect(new Set(shuffled.map(({ key }) => key)).size).toBe(1_749)
  const badKeys = new Set(bad.map(({ key }) => key))
  const positions = shuffled.flatMap(({ key }, position) => (badKeys.has(key) ? [position] : []))
  expect(Math.max(...positions) - Math.min(...positions)).toBeGreaterThan(1_000)
})
