import { describe, expect, test } from 'vitest'
import { type Call, denied, distinct, type Grant, grantsOf, isAllowed, unused } from './policies.ts'

const grant = (action: string, resource: string, effect: Grant['effect'] = 'Allow'): Grant => ({
  ...{ role: 'R', effect, action, resource },
  readable: resource,
})
const call = (action: string, resource: string, role = 'R'): Call => ({ role, action, resource })

describe('a call', () => {
  const read = grant('s3:GetObject*', 'arn:aws:s3:::b/input/*')

  test.each([
    ['the action and resource of a grant', call('s3:GetObjectVersion', 'arn:aws:s3:::b/input/x/y.json'), true],
    ['the action in another case', call('S3:getobject', 'arn:aws:s3:::b/input/x'), true],
    ['another action', call('s3:PutObject', 'arn:aws:s3:::b/input/x'), false],
    ['another resource', call('s3:GetObject', 'arn:aws:s3:::b/quarantine/x'), false],
    ['the resource in another case', call('s3:GetObject', 'arn:aws:s3:::b/Input/x'), false],
    ['no resource, where one is named', call('s3:GetObject', '*'), false],
    ['another role', call('s3:GetObject', 'arn:aws:s3:::b/input/x', 'S'), false],
  ])('of %s', (_, made, expected) => {
    expect(isAllowed([read], made)).toBe(expected)
  })

  test('is denied by a deny, whatever else allows it', () => {
    const made = call('s3:GetObject', 'arn:aws:s3:::b/input/secret')
    expect(denied([read, grant('s3:*', '*/secret', 'Deny')], [made])).toEqual([made])
  })

  test('is matched with a dot as a dot and a question mark as any character', () => {
    expect(isAllowed([grant('a:B', 'x.?')], call('a:B', 'x.1'))).toBe(true)
    expect(isAllowed([grant('a:B', 'x.?')], call('a:B', 'xx1'))).toBe(false)
  })
})

describe('a grant', () => {
  test('is unused when no call needs it, or another allows the same', () => {
    const [needed, spare, double] = [grant('a:B', 'r'), grant('a:C', 'r'), grant('a:D', 'r')]
    const calls = [call('a:B', 'r'), call('a:D', 'r')]
    expect(unused([needed, spare, double, grant('a:D*', 'r')], calls).map(({ action }) => action)).toEqual([
      ...['a:C', 'a:D', 'a:D*'],
    ])
  })

  test('that stands in two statements counts once', () => {
    expect(unused(distinct([grant('a:B', 'r'), grant('a:B', 'r')]), [call('a:B', 'r')])).toEqual([])
  })
})

test('what the evaluator cannot judge it refuses', () => {
  const statement = { Effect: 'Allow', Action: 'a:B', Resource: [{ arn: 'r', readable: 'r' }] }
  expect(grantsOf('R', statement)).toEqual([grant('a:B', 'r')])
  expect(() => grantsOf('R', { ...statement, Condition: {} })).toThrow('Condition')
  expect(() => grantsOf('R', { ...statement, NotAction: 'a:C' })).toThrow('NotAction')
})
