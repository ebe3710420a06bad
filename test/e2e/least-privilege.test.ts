/** Runs last (vitest.config.ts): what the roles did while the other tests of this folder ran is all that they may do. */
import { expect, inject, test } from 'vitest'
import { denied, type Grant, unused } from '../infra/policies.ts'
import { readDeployment } from '../support/recorded-calls.ts'
import { reasonFor, spareGrants } from '../support/spare-grants.ts'

const { grants, calls } = readDeployment(inject('cloud').directory)

const describeGrant = ({ role, action, readable }: Grant) => `${role}: ${action} on ${readable}`

test('every call of every role is allowed by its policies', () => {
  expect(calls.length).toBeGreaterThan(50)
  expect(denied(grants, calls)).toEqual([])
})

test('every grant is used by this run, or stands on the list with its reason', () => {
  const unexplained = unused(grants, calls).filter((grant) => reasonFor(grant) === undefined)

  expect(unexplained.map(describeGrant)).toEqual([])
})

test('every reason on the list is for a grant that this run does not use', () => {
  const idle = unused(grants, calls)
  const stale = spareGrants.filter((spare) => !idle.some((grant) => reasonFor(grant, [spare]) !== undefined))

  expect(stale).toEqual([])
})

test('without any one of the grants that are not on the list, something is denied', () => {
  const needed = grants.filter((grant) => reasonFor(grant) === undefined)
  const undetected = needed.filter((grant) => {
    const others = grants.filter((other) => other !== grant)
    return denied(others, calls).length === 0
  })

  expect(needed.length).toBeGreaterThan(30)
  expect(undetected.map(describeGrant)).toEqual([])
})

test('one more grant would be told', () => {
  const more = { ...grants[0], action: 's3:DeleteBucket', resource: '*', readable: '*' } as Grant

  expect(unused([...grants, more], calls)).toContain(more)
  expect(reasonFor(more)).toBeUndefined()
})
