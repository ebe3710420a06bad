import { expect, test } from 'vitest'
import { explainError } from '../../../workflows/cli/errors.ts'

const named = (name: string, message = 'as AWS puts it', more = {}) =>
  Object.assign(new Error(message), { name, ...more })

test.each([
  [named('ResourceNotFoundException'), "no Sluice stage 'prod' in this account and region: check --stage"],
  [named('QueueDoesNotExist'), "no Sluice stage 'prod' in this account and region: check --stage"],
  [named('CredentialsProviderError'), 'set AWS_PROFILE, or log in again'],
  [named('ExpiredTokenException'), 'set AWS_PROFILE, or log in again'],
  [named('Error', 'Region is missing'), 'set AWS_REGION'],
  [named('AccessDeniedException', 'no lambda:InvokeFunction'), 'no lambda:InvokeFunction'],
  [named('TooManyRequestsException'), 'try again in a moment'],
  [named('Error', 'connect', { code: 'ECONNREFUSED' }), 'cannot be reached (ECONNREFUSED)'],
  [named('AggregateError', '', { code: 'ENOTFOUND' }), 'cannot be reached (ENOTFOUND)'],
  [named('Surprise', 'of a new kind'), 'Surprise: of a new kind'],
])('%s says what to do', (error, expected) => {
  expect(explainError(error, 'prod')).toContain(expected)
})
