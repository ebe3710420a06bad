/** What starts the state machine besides a batch: dead letters, and the clock. And who is told when an execution fails. */
import { Duration } from 'aws-cdk-lib'
import { ComparisonOperator, type IAlarm, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { SfnStateMachine, SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler'
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import { RunbookAlarm } from './runbook-alarm.ts'

export interface TriggersProps {
  readonly stage: string
  readonly runbookUrl: string
  readonly deadLetterQueue: Queue
  readonly stateMachine: StateMachine
  readonly notices: Topic
  readonly sweepInterval: Duration
  readonly schedulesEnabled: boolean
  readonly transformInterval: Duration
}

export class Triggers extends Construct {
  readonly deadLettersAlarm: IAlarm

  constructor(scope: Construct, id: string, props: TriggersProps) {
    super(scope, id)

    // Its state starts something, so every stage has it.
    const alarm = new RunbookAlarm(this, 'DeadLettersAlarm', {
      stage: props.stage,
      runbookUrl: props.runbookUrl,
      heading: 'dead-letters',
      says: 'Messages were received too often. A drain was started, which loads each alone.',
      tells: props.notices,
      // What is sent there by a redrive policy counts as visible, and not as sent.
      metric: props.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: 'max',
      }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    this.deadLettersAlarm = alarm
    // Comes once, when the first message arrives; the drain goes on until the queue is empty, and the sweep is the backstop.
    new Rule(this, 'DeadLetters', {
      description: 'The dead-letter alarm starts a drain',
      eventPattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change'],
        resources: [alarm.alarmArn],
        detail: { state: { value: ['ALARM'] } },
      },
      targets: [
        new SfnStateMachine(props.stateMachine, { input: RuleTargetInput.fromObject({ trigger: 'dead-letters' }) }),
      ],
    })

    new Schedule(this, 'Sweep', {
      description: 'Starts what was forgotten',
      schedule: ScheduleExpression.rate(props.sweepInterval),
      enabled: props.schedulesEnabled,
      target: new StepFunctionsStartExecution(props.stateMachine, {
        input: ScheduleTargetInput.fromObject({ trigger: 'sweep' }),
        // The next sweep comes anyway.
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      }),
    })

    new Schedule(this, 'TransformDue', {
      description: 'Runs dbt when no batch has had it run',
      schedule: ScheduleExpression.rate(props.transformInterval),
      enabled: props.schedulesEnabled,
      target: new StepFunctionsStartExecution(props.stateMachine, {
        input: ScheduleTargetInput.fromObject({ trigger: 'transform' }),
        // The next one comes anyway.
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      }),
    })

    new Schedule(this, 'Reconciliation', {
      description: 'Looks whether every version of the bucket is known',
      // $0.045 for 9 million versions. More often finds a lost event sooner, of which there is one in years.
      schedule: ScheduleExpression.rate(Duration.days(1)),
      enabled: props.schedulesEnabled,
      target: new StepFunctionsStartExecution(props.stateMachine, {
        input: ScheduleTargetInput.fromObject({ trigger: 'reconcile' }),
        // The next one comes anyway, and `sluice status` says when there was none for two days.
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      }),
    })

    new Rule(this, 'ExecutionFailed', {
      description: 'An execution that failed is told',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [props.stateMachine.stateMachineArn],
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
        },
      },
      targets: [new SnsTopic(props.notices)],
    })
  }
}
