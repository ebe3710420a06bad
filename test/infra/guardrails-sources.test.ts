import { describe, expect, test } from 'vitest'
import { orders } from '../../handlers/sources/orders.ts'
import type { Source } from '../../handlers/sources/source.ts'
import { prefixesNotUnderInput, prefixesOverlap, silenceUnseen } from '../../infra/guardrails/sources.ts'

describe('a source', () => {
  const named = (name: string, prefix: string, expectedEveryHours = 24): Source => ({
    ...orders,
    name,
    prefix,
    expectedEveryHours,
  })

  test.each(['orders/', 'input/orders', 'input/', 'input//', 'inputs/orders/'])(
    "is not one of the prefix '%s'",
    (prefix) => {
      expect(prefixesNotUnderInput([named('parcels', prefix), named('fine', 'input/fine/')])).toEqual([
        {
          at: 'Source parcels',
          says: expect.stringMatching(
            new RegExp(
              `^its prefix is '${prefix}', and must be a folder under input/ and end in /: .* Make it 'input/parcels/' in`,
            ),
          ),
        },
      ])
    },
  )

  test('has its keys to itself', () => {
    const [wide, narrow] = [named('shop', 'input/shop/'), named('shop-returns', 'input/shop/returns/')]
    const expected = [
      {
        at: 'Source shop-returns',
        says:
          "its prefix 'input/shop/returns/' lies within 'input/shop/' of shop, so their order in the registry would decide whose a " +
          "file is. Give it a folder beside it in handlers/sources/shop-returns.ts, e.g. 'input/shop-returns/'.",
      },
    ]

    expect(prefixesOverlap([wide, narrow])).toEqual(expected)
    expect(prefixesOverlap([narrow, wide])).toEqual(expected)
    expect(prefixesOverlap([wide, named('shop-2', 'input/shop-2/')])).toEqual([])
    expect(prefixesOverlap([wide, named('twin', 'input/shop/')]).map(({ at }) => at)).toEqual(['Source twin'])
  })

  test.each([
    [169, 168],
    [0.5, 1],
    [1.5, 2],
    [Number.NaN, 1],
  ])('that is expected every %d h is not missed in time', (hours, fitting) => {
    expect(silenceUnseen([named('parcels', 'input/parcels/', hours)])).toEqual([
      {
        at: 'Source parcels',
        says:
          `a file is expected every ${hours} h, and the alarm on a silent source looks back for 1 to 168 whole hours. Make ` +
          `expectedEveryHours ${fitting} in handlers/sources/parcels.ts.`,
      },
    ])
  })

  test.each([1, 168])('may be expected every %d h', (hours) => {
    expect(silenceUnseen([named('parcels', 'input/parcels/', hours)])).toEqual([])
  })
})
