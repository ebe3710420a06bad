import { describe, expect, test } from 'vitest'
import type { DrainedGroup } from '../../../db/dead-letters.ts'
import { writeNotice } from '../../../handlers/claim-dead-letters/notice.ts'

const arn = 'arn:aws:states:eu-central-1:123456789012:execution:sluice-prod-pipeline:run-1'
const group = (fields: Partial<DrainedGroup>): DrainedGroup => ({
  source: 'orders',
  status: 'loaded',
  reasonKind: null,
  count: 1,
  ...fields,
})

describe('the notice of a drain', () => {
  test('counts by source, says whom to ask, why files were refused, and where to look', () => {
    const notice = writeNotice(
      [
        group({ source: 'github', status: 'dead_letter', count: 2 }),
        group({ status: 'poison', reasonKind: 'contract', count: 3 }),
        group({ status: 'quarantined', reasonKind: 'crashes-loader' }),
        group({ status: 'loaded', count: 40 }),
        group({ source: null, status: 'poison', reasonKind: 'unknown-source', count: 1 }),
      ],
      arn,
    )

    expect(notice).toEqual({
      subject: 'Sluice: 47 dead letters, 2 still dead',
      text: [
        '47 files had been received too often:',
        '- github (developer-platform@example.com): 2 still dead',
        '- orders (commerce-data@example.com): 4 refused (3 contract, 1 crashes-loader), 40 loaded',
        '- no source claims them: 1 refused (1 unknown-source)',
        '',
        'What is still dead could not be reached. When the cause is mended, redrive the execution.',
        `https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions/details/${arn}`,
      ].join('\n'),
    })
  })

  test('says that nothing is left when nothing is, and where refused files are', () => {
    const { subject, text } = writeNotice([group({ status: 'vanished', count: 5 })], arn)

    expect(subject).toBe('Sluice: 5 dead letters, none left')
    expect(text).toContain('5 deleted before they could be read')
    expect(text).toContain('Refused files are in quarantine')
  })

  test('has a subject that SNS takes: a line of less than 100 characters of ASCII', () => {
    const { subject } = writeNotice([group({ status: 'dead_letter', count: Number.MAX_SAFE_INTEGER })], arn)

    expect(subject).toMatch(/^[\x20-\x7e]{1,99}$/)
  })
})
