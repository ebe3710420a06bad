/** Who is told: the subscriptions of a stage's two topics. */
import { paginateListSubscriptionsByTopic } from '@aws-sdk/client-sns'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { Stage } from './stage.ts'

/** What a topic is for: what cannot wait, and the rest. Their names end in it. */
export const TOPICS = ['pages', 'notices'] as const

export interface TopicSubscriptions {
  readonly topic: (typeof TOPICS)[number]
  /** How many are told. */
  readonly confirmed: number
  /** Addresses to which AWS has sent a link that nobody has followed yet: they are told nothing. */
  readonly unconfirmed: readonly string[]
}

/** What SNS gives instead of an ARN until the link in its mail was followed. */
const PENDING = /^pending ?confirmation$/i

export async function listSubscriptions({
  name,
  sns,
  sts,
}: Pick<Stage, 'name' | 'sns' | 'sts'>): Promise<TopicSubscriptions[]> {
  // Topics can be found by name in a list of all only; whose they are is known to whoever asks.
  const { Account, Arn = '' } = await sts.send(new GetCallerIdentityCommand())
  const partition = Arn.split(':')[1] || 'aws'
  const region = await sns.config.region()
  return await Promise.all(
    TOPICS.map(async (topic) => {
      const TopicArn = `arn:${partition}:sns:${region}:${Account}:sluice-${name}-${topic}`
      const unconfirmed: string[] = []
      let confirmed = 0
      for await (const { Subscriptions = [] } of paginateListSubscriptionsByTopic({ client: sns }, { TopicArn })) {
        for (const { SubscriptionArn = '', Endpoint = '' } of Subscriptions) {
          if (PENDING.test(SubscriptionArn)) unconfirmed.push(Endpoint)
          else confirmed++
        }
      }
      return { topic, confirmed, unconfirmed }
    }),
  )
}

/** E.g. `pages 1; notices 2, unconfirmed: ada@example.com`. */
export const describeSubscriptions = (subscriptions: readonly TopicSubscriptions[]): string =>
  subscriptions
    .map(
      ({ topic, confirmed, unconfirmed }) =>
        `${topic} ${confirmed === 0 ? 'nobody' : confirmed}` +
        (unconfirmed.length > 0 ? `, unconfirmed: ${unconfirmed.join(', ')}` : ''),
    )
    .join('; ')
