/** How people are told. */
import { Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'

export class Notices extends Construct {
  /** What people should know and need not act on at once. */
  readonly topic: Topic

  constructor(scope: Construct, id: string, { stage }: { readonly stage: string }) {
    super(scope, id)
    this.topic = new Topic(this, 'Topic', { topicName: `sluice-${stage}-notices`, enforceSSL: true })
  }
}
