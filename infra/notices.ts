/** How people are told. */
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'

export interface NoticesProps {
  readonly stage: string
  /** Who is told by mail. Each must confirm it once, by a link that AWS sends. */
  readonly alertAddresses: readonly string[]
}

export class Notices extends Construct {
  /** What people should know and need not act on at once. */
  readonly topic: Topic

  constructor(scope: Construct, id: string, { stage, alertAddresses }: NoticesProps) {
    super(scope, id)
    this.topic = new Topic(this, 'Topic', { topicName: `sluice-${stage}-notices`, enforceSSL: true })
    for (const address of alertAddresses) this.topic.addSubscription(new EmailSubscription(address))
  }
}
