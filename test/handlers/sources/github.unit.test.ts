import { expect, test } from 'vitest'
import { github } from '../../../handlers/sources/github.ts'
import { issuesOf } from '../../support/issues.ts'

test('a delivery loads with whatever its event has', () => {
  expect(issuesOf(github, '{"zen":"Approachable is better than simple.","hook_id":1}')).toEqual([])
})

test('an account without an id is named wherever it stands', () => {
  expect(issuesOf(github, '{"sender":{"login":"a"},"repository":{"id":1,"full_name":"a/b","owner":{"id":1}}}')).toEqual(
    ['$.sender.id: expected number, found nothing', '$.repository.owner.login: expected string, found nothing'],
  )
})
