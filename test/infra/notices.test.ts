import { describe, expect, test } from 'vitest'
import { at, ofType, type Resource, readable } from './synthesized.ts'

const topics = ['Notices/Pages', 'Notices/Topic']

/** What the policy of a topic says, its Deny first. */
function statementsOf(topic: string): Resource['properties'][] {
  const [policy] = ofType('AWS::SNS::TopicPolicy').filter(({ properties }) => readable(properties.Topics[0]) === topic)
  return policy?.properties.PolicyDocument.Statement ?? []
}

describe.each(topics)('the topic %s', (topic) => {
  test('takes nothing from anybody without TLS', () => {
    expect(statementsOf(topic)[0]).toMatchObject({
      Effect: 'Deny',
      Principal: '*',
      Action: 'sns:Publish',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    })
  })

  // A policy of its own takes the place of the default one, which lets in the account. Without this no alarm would be heard.
  test('lets CloudWatch publish for alarms of this account, and of no other', () => {
    const statement = statementsOf(topic).find(({ Principal }) => Principal?.Service === 'cloudwatch.amazonaws.com')

    expect(statement).toMatchObject({ Effect: 'Allow', Action: 'sns:Publish' })
    expect(readable(statement?.Resource)).toBe(topic)
    expect(statement?.Condition.StringEquals['aws:SourceAccount']).toBeDefined()
    expect(JSON.stringify(statement?.Condition.ArnLike['aws:SourceArn'])).toMatch(/:cloudwatch:.*:alarm:\*/)
  })

  test('is not encrypted with a key that would keep CloudWatch out', () => {
    expect(at(topic, 'AWS::SNS::Topic').properties.KmsMasterKeyId).toBeUndefined()
  })
})

test('the topic of notices lets EventBridge publish what it says of executions', () => {
  expect(statementsOf('Notices/Topic')).toContainEqual(
    expect.objectContaining({
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sns:Publish',
    }),
  )
})
