/** How people are told: a topic for what cannot wait, and one for what can. */
import { Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'

export interface NoticesProps {
  readonly stage: string
  /** Who is told by mail of what cannot wait. Each must confirm it once, by a link that AWS sends. */
  readonly pageAddresses: readonly string[]
  /** The same for what can. */
  readonly noticeAddresses: readonly string[]
}

export class Notices extends Construct {
  /** Files wait, and somebody should act now, whatever the hour. */
  readonly pages: Topic
  /** What people should know and need not act on at once. */
  readonly topic: Topic

  constructor(scope: Construct, id: string, { stage, pageAddresses, noticeAddresses }: NoticesProps) {
    super(scope, id)
    this.pages = this.#topic('Pages', `sluice-${stage}-pages`, pageAddresses)
    this.topic = this.#topic('Topic', `sluice-${stage}-notices`, noticeAddresses)
  }

  #topic(id: string, topicName: string, addresses: readonly string[]): Topic {
    // Not encrypted with a key: AWS's own for SNS would keep CloudWatch out, and what is told holds names and counts.
    const topic = new Topic(this, id, { topicName, enforceSSL: true })
    for (const address of addresses) topic.addSubscription(new EmailSubscription(address))
    const { account, partition, region } = Stack.of(this)
    // A topic with a policy of its own lets in whom it names and nobody else. Without this every alarm would be silent.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        // Not for alarms of somebody else's account, who would only need to know the topic's name.
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:*` },
        },
      }),
    )
    return topic
  }
}
