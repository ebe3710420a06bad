/** An alarm of Sluice: a name, a sentence, whom it tells, and the place of the runbook that says what to do. */
import { Alarm, type AlarmProps } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'

export interface RunbookAlarmProps extends Omit<AlarmProps, 'alarmName' | 'alarmDescription'> {
  readonly stage: string
  /** Where `infra/runbook.md` can be read. */
  readonly runbookUrl: string
  /** The heading of the runbook, in lower case with dashes. */
  readonly heading: string
  /** Of what there is one for each: a source. The alarm's name ends in it. */
  readonly of?: string
  /** What is the matter when it is in ALARM. A sentence. */
  readonly says: string
  /** Who is told, when it begins and when it is over. Nobody of what people have been told already, in more detail. */
  readonly tells?: ITopic
}

export class RunbookAlarm extends Alarm {
  constructor(scope: Construct, id: string, props: RunbookAlarmProps) {
    const { stage, runbookUrl, heading, of, says, tells, ...alarm } = props
    super(scope, id, {
      ...alarm,
      alarmName: ['sluice', stage, heading, of].filter((part) => part !== undefined).join('-'),
      alarmDescription: `${says} What to do: ${runbookUrl}#${heading}`,
    })
    if (tells === undefined) return
    this.addAlarmAction(new SnsAction(tells))
    this.addOkAction(new SnsAction(tells))
  }
}
