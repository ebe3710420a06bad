/** How the database is reached: its secret, and by what variables. */
import { CfnParameter, SecretValue } from 'aws-cdk-lib'
import { type BuildEnvironmentVariable, BuildEnvironmentVariableType } from 'aws-cdk-lib/aws-codebuild'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'

export class Database extends Construct {
  /** Has the fields of an RDS secret: host, port, dbname, username, password. */
  readonly secret: Secret
  /** What libpq, and whatever reads its variables, needs to connect. For builds. */
  readonly connectionVariables: Readonly<Record<string, BuildEnvironmentVariable>>

  constructor(scope: Construct, id: string) {
    super(scope, id)

    // Stage `local` brings its own PostgreSQL: whoever deploys says where it is.
    const parameter = new CfnParameter(this, 'LocalSecret', {
      noEcho: true,
      description: 'The secret of the local PostgreSQL as JSON: host, port, dbname, username, password',
    })
    parameter.overrideLogicalId('LocalDatabaseSecret')
    this.secret = new Secret(this, 'Secret', { secretStringValue: SecretValue.cfnParameter(parameter) })

    // By reference: a build is given them when it starts, and they stand in no template.
    const field = (name: string): BuildEnvironmentVariable => ({
      type: BuildEnvironmentVariableType.SECRETS_MANAGER,
      value: `${this.secret.secretArn}:${name}`,
    })
    this.connectionVariables = {
      PGHOST: field('host'),
      PGPORT: field('port'),
      PGDATABASE: field('dbname'),
      PGUSER: field('username'),
      PGPASSWORD: field('password'),
      // The PostgreSQL of stage `local` listens on this machine only, and has no certificate.
      PGSSLMODE: { value: 'disable' },
    }
  }
}
