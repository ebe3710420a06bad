/** The CDK app: which stages there are, and every number in which they may differ. `npm run synth -- -c stage=local`. */
import { App, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import { PipelineStack, type PipelineStackProps } from './pipeline-stack.ts'

/** Where whoever gets an alarm reads what to do. Your repository's. */
const RUNBOOK_URL = 'https://github.com/example/sluice/blob/main/infra/runbook.md'

/** The stages, by name. */
export function stagesOf(app: App): Record<string, PipelineStackProps> {
  /** A number that tests lower with `-c <name>=<number>`, so that none of them waits for real time. */
  const fromContext = (name: string, standard: number): number => Number(app.node.tryGetContext(name) ?? standard)

  return {
    /** The laptop: `npm start` deploys it to an emulator. It differs from AWS in its timings, its database and its network. */
    local: {
      env: { account: '000000000000', region: 'us-east-1' },
      stage: 'local',
      owner: 'laptop',
      // Nobody is told by mail: `npm start` listens to both topics, and says what it hears.
      pageAddresses: [],
      noticeAddresses: [],
      runbookUrl: RUNBOOK_URL,
      isWatched: true,
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
      reservesConcurrency: true,
      // 12 x visibility timeout > 1 hour: an hour without the database dead-letters nothing.
      receivesBeforeDeadLetter: fromContext('receivesBeforeDeadLetter', 12),
      queueRetention: Duration.days(10),
      // SQS's maximum. Time spent in the queue counts against it, so it must exceed the queue's.
      deadLetterRetention: Duration.days(14),
      // Must outlast a message's 10 + 14 days, or a version is gone before its last chance to be read.
      inputRetention: Duration.days(90),
      overwrittenInputRetention: Duration.days(30),
      quarantineRetention: Duration.days(90),
      // The least there is: a copy is made once, and only an expired one is hidden.
      overwrittenQuarantineRetention: Duration.days(1),
      // As in `prod`: nobody's laptop runs that long, and what is tried is the same.
      documentRetention: Duration.days(90),
      logRetentionDays: 30,
      // Long enough to compare a run of dbt with last month's.
      artifactRetention: Duration.days(30),
      // $17 a month of builds. Every batch would be $1,173, and marts a minute old that nobody looks at.
      transformInterval: Duration.minutes(60),
      sweepInterval: Duration.minutes(fromContext('sweepIntervalMinutes', 15)),
      schedulesEnabled: true,
    },

    /** For trying things on AWS: small, cheap, and gone with its stack. In whatever account and region deploys it. */
    dev: {
      stage: 'dev',
      // Yours.
      owner: 'data-platform',
      // Whoever tries something looks by `sluice status`, which says that nobody is told.
      pageAddresses: [],
      noticeAddresses: [],
      runbookUrl: RUNBOOK_URL,
      // An alarm is $0.10 a month, and nobody would be told. That of the dead letters starts their drain, and is there.
      isWatched: false,
      // As in `prod`, or it would be something else that is tried.
      batchSize: 100,
      batchingWindow: Duration.seconds(55),
      ingestTimeout: Duration.seconds(60),
      ingestMemoryMegabytes: 1_769,
      // The least there is, twice: a new account runs 10 functions at a time, and the Tasks need some of them.
      ingestConcurrency: 2,
      replayConcurrency: 2,
      // A new account has none to reserve, and a deployment that tries fails.
      reservesConcurrency: false,
      // As in `prod`.
      receivesBeforeDeadLetter: 12,
      queueRetention: Duration.days(10),
      deadLetterRetention: Duration.days(14),
      // Must outlast a message's 24 days; nothing here is worth more.
      inputRetention: Duration.days(30),
      overwrittenInputRetention: Duration.days(30),
      quarantineRetention: Duration.days(30),
      overwrittenQuarantineRetention: Duration.days(1),
      // As long as the files that they came from. By a sweep that somebody starts: the clock is off.
      documentRetention: Duration.days(30),
      // Whoever tries something looks the same week.
      logRetentionDays: 7,
      artifactRetention: Duration.days(7),
      transformInterval: Duration.minutes(60),
      sweepInterval: Duration.minutes(15),
      // The clock would wake the database four times an hour, and it would never pause. Start a sweep by hand; a batch that comes
      // has the marts built, as elsewhere.
      schedulesEnabled: false,
      aws: {
        // 4,096 addresses, of which a few dozen are used. An instance is $7 a month, a gateway $36.50. When it fails, whoever tries
        // something starts it again.
        network: { kind: 'new', cidr: '10.60.0.0/20', wayOut: 'nat-instance' },
        aurora: {
          // $0 an hour while nobody is connected, $0.12 a unit otherwise. 2 units hold more than a test brings; below 5 minutes
          // it may not pause, and a longer wait is paid for.
          compute: { kind: 'serverless', minUnits: 0, maxUnits: 2, pauseAfter: Duration.minutes(5) },
          // A second instance would be paid for to wait.
          hasReader: false,
          // The least there is: nothing in it is worth restoring.
          backupRetention: Duration.days(1),
          removalPolicy: RemovalPolicy.DESTROY,
          deletionProtection: false,
          admitted: [],
        },
      },
    },

    /** What people rely on. In whatever account and region deploys it: `env` holds it to one. */
    prod: {
      // Deleting the stack by mistake is refused.
      terminationProtection: true,
      stage: 'prod',
      // Yours, all three. The first get what cannot wait until morning, the others everything else.
      owner: 'data-platform',
      pageAddresses: ['data-platform-on-call@example.com'],
      noticeAddresses: ['data-platform@example.com'],
      runbookUrl: RUNBOOK_URL,
      isWatched: true,
      // The user's choice, and upper bounds: at low traffic a batch holds what came within the window.
      batchSize: 100,
      // Fills batches at low cost, and leaves 5 s of the minute in which a file is to be loaded.
      batchingWindow: Duration.seconds(55),
      // Every other time derives from this one. A batch of 100 files takes about a second.
      ingestTimeout: Duration.seconds(60),
      // One vCPU. More memory buys nothing that one thread could use.
      ingestMemoryMegabytes: 1_769,
      // 500 files a second, and one database connection each. More would only queue for the writer's two vCPUs.
      ingestConcurrency: 5,
      // The least there is: what a person asked for again may take its time.
      replayConcurrency: 2,
      // 32 in all, so the account's quota must be 132 or more: AWS keeps 100 for the rest. 1,000 is usual once asked for.
      reservesConcurrency: true,
      // 12 x visibility timeout > 1 hour: an hour without the database dead-letters nothing.
      receivesBeforeDeadLetter: 12,
      // Longer than any holidays; below SQS's 14 days, which a dead letter needs.
      queueRetention: Duration.days(10),
      // SQS's maximum. Time spent in the queue counts against it, so it must exceed the queue's.
      deadLetterRetention: Duration.days(14),
      // Must outlast a message's 10 + 14 days, or a version is gone before its last chance to be read.
      inputRetention: Duration.days(90),
      overwrittenInputRetention: Duration.days(30),
      quarantineRetention: Duration.days(90),
      // The least there is: a copy is made once, and only an expired one is hidden.
      overwrittenQuarantineRetention: Duration.days(1),
      // As long as the files that they came from: until then the marts can be built anew, after that neither is there. Shorter,
      // and a mistake in a model that shows late cannot be mended; longer keeps what was deleted at its source.
      documentRetention: Duration.days(90),
      // Last month's incident can still be read; what is older is in the ledger.
      logRetentionDays: 30,
      // Long enough to compare a run of dbt with last month's.
      artifactRetention: Duration.days(30),
      // $17 a month of builds. Every batch would be $1,173, and marts a minute old that nobody looks at.
      transformInterval: Duration.minutes(60),
      // What was forgotten waits 15 minutes at most; a sweep costs a second of a small function.
      sweepInterval: Duration.minutes(15),
      schedulesEnabled: true,
      aws: {
        // 4,096 addresses, of which a few dozen are used. Others than those of `dev`: one VPN can reach both.
        network: { kind: 'new', cidr: '10.61.0.0/20', wayOut: 'nat-gateway' },
        aurora: {
          // 2 vCPUs, 4 GiB, $53 a month. Serverless at 0.5 units would be $44, and $88 for as much as this always has.
          compute: { kind: 'provisioned', instanceType: 't4g.medium' },
          // Another $53: analysts' queries do not slow the loading, and a failure of the writer is over in half a minute.
          hasReader: true,
          // A mistake that shows after the weekend, or after a week of holidays.
          backupRetention: Duration.days(14),
          removalPolicy: RemovalPolicy.RETAIN,
          deletionProtection: true,
          // Nobody, until somebody is named: a VPN's range (10.8.0.0/22), a BI tool's security group (sg-...).
          admitted: [],
        },
      },
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
  // A finding without a reason is not deployed. For the laptop `npm run check` looks: each start would be a second slower.
  if (name !== 'local') {
    const { Compliance } = await import('./checks/findings.ts')
    Validations.of(app).addPlugins(new Compliance())
  }
}
