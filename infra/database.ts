/** The database's secret, and the migration that every deployment runs. */
import { join } from 'node:path'
import { CfnParameter, Duration, SecretValue } from 'aws-cdk-lib'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Trigger } from 'aws-cdk-lib/triggers'
import { Construct } from 'constructs'
import { SluiceFunction } from './sluice-function.ts'

export interface DatabaseProps {
  readonly stage: string
  readonly logRetentionDays: number
}

export class Database extends Construct {
  /** Has the fields of an RDS secret: host, port, dbname, username, password. */
  readonly secret: Secret
  readonly migrate: SluiceFunction
  /** Runs within the deployment, whenever the migrations or their code have changed, and fails it when it fails. */
  readonly migration: Trigger

  constructor(scope: Construct, id: string, props: DatabaseProps) {
    super(scope, id)

    // Stage `local` brings its own PostgreSQL: whoever deploys says where it is.
    const parameter = new CfnParameter(this, 'LocalSecret', {
      noEcho: true,
      description: 'The secret of the local PostgreSQL as JSON: host, port, dbname, username, password',
    })
    parameter.overrideLogicalId('LocalDatabaseSecret')
    this.secret = new Secret(this, 'Secret', { secretStringValue: SecretValue.cfnParameter(parameter) })

    this.migrate = new SluiceFunction(this, 'Migrate', {
      stage: props.stage,
      folder: 'migrate',
      description: 'Brings the database to the present schema',
      timeout: Duration.minutes(5),
      memoryMegabytes: 512,
      environment: { DATABASE_SECRET_ARN: this.secret.secretArn },
      logRetentionDays: props.logRetentionDays,
      commandHooks: {
        beforeInstall: () => [],
        beforeBundling: () => [],
        afterBundling: (input, output) => [`cp -R ${join(input, 'db/migrations')} ${join(output, 'migrations')}`],
      },
    })
    this.secret.grantRead(this.migrate)
    this.migration = new Trigger(this, 'Migration', { handler: this.migrate, timeout: Duration.minutes(5) })
  }
}
