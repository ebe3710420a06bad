/** New passwords every month: a schedule and a function of AWS's for each secret of the database. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { HostedRotation, type ISecret, RotationSchedule, type Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import type { Network } from './network.ts'

export interface RotationProps {
  readonly stage: string
  readonly network: Network
  /** By what their functions are named after. Each has the fields of an RDS secret. */
  readonly secrets: Readonly<Record<string, Secret | ISecret>>
  readonly logRetentionDays: number
}

/** More often, and more functions meet a password that has just changed; they read the secret again, and lose a second. */
const INTERVAL = Duration.days(30)

export class Rotation extends Construct {
  constructor(scope: Construct, id: string, { stage, network, secrets, logRetentionDays }: RotationProps) {
    super(scope, id)
    for (const [name, secret] of Object.entries(secrets)) {
      const functionName = `sluice-${stage}-rotate-${name}`
      const log = new LogGroup(this, `${name}-log`, {
        logGroupName: `/aws/lambda/${functionName}`,
        retention: logRetentionDays as RetentionDays,
        removalPolicy: RemovalPolicy.DESTROY,
      })
      const schedule = new RotationSchedule(this, name, {
        // As its users want it: with exactOptionalPropertyTypes a Secret is no ISecret.
        secret: secret as ISecret,
        // Each role changes its own password. A second user for a change without a gap would double the roles.
        hostedRotation: HostedRotation.postgreSqlSingleUser({
          functionName,
          ...network.placementOfFunctions,
        }),
        automaticallyAfter: INTERVAL,
        // A deployment is no moment to change the passwords of what it has just deployed. AWS tries the schedule all the same.
        rotateImmediatelyOnUpdate: false,
      })
      // Or the function makes a log of this name, which is never cleared.
      schedule.node.addDependency(log)
    }
  }
}
