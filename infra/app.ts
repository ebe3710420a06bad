/** The CDK app: which stages there are, and every number in which they may differ. `npm run synth -- -c stage=local`. */
import { App, Duration } from 'aws-cdk-lib'
import { PipelineStack, type PipelineStackProps } from './pipeline-stack.ts'

/** The stages, by name. */
export function stagesOf(app: App): Record<string, PipelineStackProps> {
  /** A number that tests lower with `-c <name>=<number>`, so that none of them waits for real time. */
  const fromContext = (name: string, standard: number): number => Number(app.node.tryGetContext(name) ?? standard)

  return {
    /** The laptop: `npm start` deploys it to an emulator. It differs from AWS in its timings and its database. */
    local: {
      env: { account: '000000000000', region: 'us-east-1' },
      stage: 'local',
      // The user's choice, and upper bounds: at low traffic a batch holds what came within the window.
      batchSize: 100,
      // 55 s on AWS. Short here, since somebody watches; still long enough for full batches when files pour in.
      batchingWindow: Duration.seconds(fromContext('batchingWindowSeconds', 5)),
      // Every other time derives from this one. A batch of 100 files takes about a second.
      ingestTimeout: Duration.seconds(fromContext('ingestTimeoutSeconds', 60)),
      // One vCPU. More memory buys nothing that one thread could use.
      ingestMemoryMegabytes: 1_769,
      // Bounds the database connections: one for each concurrent batch.
      ingestConcurrency: 5,
      // The least there is: what a person asked for again may take its time.
      replayConcurrency: 2,
      // 12 x visibility timeout > 1 hour: an hour without the database dead-letters nothing.
      receivesBeforeDeadLetter: fromContext('receivesBeforeDeadLetter', 12),
      queueRetention: Duration.days(10),
      // SQS's maximum. Time spent in the queue counts against it, so it must exceed the queue's.
      deadLetterRetention: Duration.days(14),
      // Must outlast a message's 10 + 14 days, or a version is gone before its last chance to be read.
      inputRetention: Duration.days(90),
      overwrittenInputRetention: Duration.days(30),
      quarantineRetention: Duration.days(90),
      logRetentionDays: 30,
      // $17 a month of builds. Every batch would be $1,173, and marts a minute old that nobody looks at.
      transformInterval: Duration.minutes(60),
      sweepInterval: Duration.minutes(fromContext('sweepIntervalMinutes', 15)),
    },
  }
}

if (import.meta.main) {
  const app = new App()
  const name = String(app.node.tryGetContext('stage') ?? 'local')
  const stages = stagesOf(app)
  const stage = stages[name]
  if (stage === undefined) {
    throw new Error(
      `Unknown stage '${name}'. Stages: ${Object.keys(stages).join(', ')}. Choose one with -c stage=<name>.`,
    )
  }
  new PipelineStack(app, `Sluice-${name}`, stage)
}
