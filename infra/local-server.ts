/** The server of stage `local`: a PostgreSQL that whoever deploys has started. */
import { CfnParameter, SecretValue } from 'aws-cdk-lib'
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import type { DatabaseServer } from './database.ts'

export class LocalServer extends Construct implements DatabaseServer {
  readonly host: string
  readonly port: string
  readonly databaseName: string
  readonly adminSecret: ISecret
  // It listens on this machine only, and has no certificate.
  readonly sslMode = 'disable'

  constructor(scope: Construct, id: string) {
    super(scope, id)

    const parameter = (name: string, description: string, noEcho = false): CfnParameter => {
      const made = new CfnParameter(this, name, { description, noEcho })
      made.overrideLogicalId(`LocalDatabase${name}`)
      return made
    }
    this.host = parameter('Host', 'Where the local PostgreSQL listens').valueAsString
    this.port = parameter('Port', 'On which port').valueAsString
    this.databaseName = parameter('Name', 'Its database').valueAsString
    // As the interface wants it: with exactOptionalPropertyTypes a Secret is no ISecret.
    this.adminSecret = new Secret(this, 'AdminSecret', {
      description: 'Sluice local: how to connect to the database as who may do everything on it',
      secretObjectValue: {
        engine: SecretValue.unsafePlainText('postgres'),
        host: SecretValue.unsafePlainText(this.host),
        port: SecretValue.unsafePlainText(this.port),
        dbname: SecretValue.unsafePlainText(this.databaseName),
        username: SecretValue.cfnParameter(parameter('User', 'Who may do everything on it', true)),
        password: SecretValue.cfnParameter(parameter('Password', 'The password of that user', true)),
      },
    }) as ISecret
  }
}
