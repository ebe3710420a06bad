import { Duration } from 'aws-cdk-lib'
import { StorageClass } from 'aws-cdk-lib/aws-s3'
import { describe, expect, test } from 'vitest'
import type { PipelineStack } from '../../infra/pipeline-stack.ts'
import { landingBucketOf, override, told } from './guardrails.ts'

const days = Duration.days

describe('a file that lands', () => {
  test('outlives its message', () => {
    expect(told({ inputRetention: days(24) })).toEqual([
      "Landing/Bucket: the lifecycle rule 'input' deletes files under input/ after 24 days, and must keep them for more than 24 " +
        'days: a message lives for 10 days in its queue and 14 as a dead letter, and would find its file gone. Raise ' +
        'inputRetention to 25 days.',
    ])
    expect(told({ overwrittenInputRetention: days(24) })).toEqual([
      expect.stringMatching(
        /versions under input\/ 24 days after they were overwritten, .* Raise overwrittenInputRetention to 25 days\.$/,
      ),
    ])
    expect(told({ inputRetention: days(25), overwrittenInputRetention: days(25) })).toEqual([])
  })

  test.each([
    ['with no prefix', undefined],
    ['with a shorter prefix', 'inp'],
    ['with a longer prefix', 'input/orders/'],
  ])('outlives its message also when another rule is added, %s', (_, prefix) => {
    const rule = { id: 'cheaper', expiration: days(7), ...(prefix && { prefix }) }

    expect(told({}, (stack) => landingBucketOf(stack).addLifecycleRule(rule))).toEqual([
      expect.stringMatching(
        /^Landing\/Bucket: the lifecycle rule 'cheaper' deletes .* after 7 days, .* 24 days.* Take the rule away: inputRetention/,
      ),
    ])
  })

  test('outlives its message also when a rule deletes on a date', () => {
    const expirationDate = new Date('2027-01-01')

    expect(told({}, (stack) => landingBucketOf(stack).addLifecycleRule({ id: 'once', expirationDate }))).toEqual([
      expect.stringMatching(/'once' deletes files under input\/ on a date, whatever their age/),
    ])
  })

  test('is not touched by rules for other folders, nor by one that is off', () => {
    const edit = (stack: PipelineStack) => {
      const bucket = landingBucketOf(stack)
      const transitions = [{ storageClass: StorageClass.DEEP_ARCHIVE, transitionAfter: days(1) }]
      bucket.addLifecycleRule({ prefix: 'exports/', expiration: days(2), transitions })
      bucket.addLifecycleRule({ enabled: false, expiration: days(2), transitions })
    }

    expect(told({}, edit)).toEqual([])
  })

  test.each([
    ['GLACIER', { transitions: [{ storageClass: StorageClass.GLACIER, transitionAfter: days(60) }] }],
    [
      'DEEP_ARCHIVE',
      { noncurrentVersionTransitions: [{ storageClass: StorageClass.DEEP_ARCHIVE, transitionAfter: days(20) }] },
    ],
  ])('is never moved to where it cannot be read at once: %s', (archive, rule) => {
    expect(told({}, (stack) => landingBucketOf(stack).addLifecycleRule({ id: 'cold', ...rule }))).toEqual([
      `Landing/Bucket: the lifecycle rule 'cold' moves files under input/ to ${archive}, from where none can be read before it is ` +
        'restored, so its message would come back until it is a dead letter. Give it a prefix outside of input/; to pay less, ' +
        'choose GLACIER_IR, or lower inputRetention.',
    ])
  })

  test('may be moved to where it can be read at once', () => {
    const transitions = [{ storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: days(30) }]

    expect(told({}, (stack) => landingBucketOf(stack).addLifecycleRule({ transitions }))).toEqual([])
  })

  test('is not archived by Intelligent-Tiering either', () => {
    const tiering = [{ Id: 'cold', Status: 'Enabled', Tierings: [{ AccessTier: 'ARCHIVE_ACCESS', Days: 90 }] }]

    expect(told({}, override('Landing/Bucket', 'IntelligentTieringConfigurations', tiering))).toEqual([
      expect.stringMatching(
        /^Landing\/Bucket: the Intelligent-Tiering configuration 'cold' archives files under input\//,
      ),
    ])
  })

  test('is not lost when it is overwritten: every version is kept', () => {
    expect(told({}, override('Landing/Bucket', 'VersioningConfiguration.Status', 'Suspended'))).toEqual([
      expect.stringMatching(
        /^Landing\/Bucket: versioning is Suspended, and must be Enabled: .* Leave versioned: true in landing\.ts\.$/,
      ),
    ])
  })

  test('in a bucket that was there is the business of whoever owns it', () => {
    expect(told({ landingBucketName: 'landing-of-ours', inputRetention: days(2) })).toEqual([])
  })
})
