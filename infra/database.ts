/** Who connects to the database, and as whom: a role and a generated secret for each purpose, and by what variables. */
import { type BuildEnvironmentVariable, BuildEnvironmentVariableType } from 'aws-cdk-lib/aws-codebuild'
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import { type Role, roles } from '../db/passwords.ts'
import { CERTIFICATES_FILE } from './certificates.ts'

/**
 * Where the server is, and who may do everything on it. Aurora on AWS (`aurora.ts`), a PostgreSQL on this machine for stage
 * `local` (`local-server.ts`).
 */
export interface DatabaseServer {
  readonly host: string
  readonly port: string
  readonly databaseName: string
  /** Has the fields of an RDS secret. */
  readonly adminSecret: ISecret
  /** As libpq's PGSSLMODE: encrypted, with the server's certificate and name verified; or not encrypted at all. */
  readonly sslMode: 'disable' | 'verify-full'
}

export interface DatabaseProps {
  readonly stage: string
  readonly server: DatabaseServer
}

/** Far beyond what can be guessed, and ASCII letters and digits only: nothing on the way has to quote them. */
const PASSWORD_LENGTH = 40

export class Database extends Construct {
  /** One generated secret for each role, with the fields of an RDS secret: engine, host, port, dbname, username, password. */
  readonly secrets: Readonly<Record<Role, Secret>>
  /** The password of each role by reference, for the build that sets them. */
  readonly passwordVariables: Readonly<Record<string, BuildEnvironmentVariable>>
  readonly #server: DatabaseServer

  constructor(scope: Construct, id: string, { stage, server }: DatabaseProps) {
    super(scope, id)
    this.#server = server

    const secretOf = (role: Role): Secret =>
      new Secret(this, `${role.charAt(0).toUpperCase()}${role.slice(1)}Secret`, {
        description: `Sluice ${stage}: how to connect to the database as sluice_${role}`,
        generateSecretString: {
          secretStringTemplate: JSON.stringify({
            engine: 'postgres',
            host: server.host,
            port: server.port,
            dbname: server.databaseName,
            username: `sluice_${role}`,
          }),
          generateStringKey: 'password',
          passwordLength: PASSWORD_LENGTH,
          excludePunctuation: true,
        },
      })
    this.secrets = {
      ingest: secretOf('ingest'),
      inspection: secretOf('inspection'),
      maintenance: secretOf('maintenance'),
      reader: secretOf('reader'),
      transform: secretOf('transform'),
      erasure: secretOf('erasure'),
    }
    this.passwordVariables = Object.fromEntries(
      roles.map((role) => [`ROLE_${role.toUpperCase()}_PASSWORD`, fieldOf(this.secrets[role], 'password')]),
    )
  }

  /** What a function needs to connect. The secret must be granted to it, too. */
  environmentOf(role: Role): { readonly DATABASE_SECRET_ARN: string; readonly DATABASE_SSL: string } {
    return { DATABASE_SECRET_ARN: this.secrets[role].secretArn, DATABASE_SSL: this.#server.sslMode }
  }

  /**
   * What libpq, and whatever reads its variables, needs to connect. For builds whose source holds the certificates
   * (`certificates.ts`). By reference: a build is given them when it starts, and they stand in no template.
   */
  variablesOf(role: Role | 'admin'): Record<string, BuildEnvironmentVariable> {
    const secret = role === 'admin' ? this.#server.adminSecret : this.secrets[role]
    return {
      PGHOST: fieldOf(secret, 'host'),
      PGPORT: fieldOf(secret, 'port'),
      PGDATABASE: fieldOf(secret, 'dbname'),
      PGUSER: fieldOf(secret, 'username'),
      PGPASSWORD: fieldOf(secret, 'password'),
      PGSSLMODE: { value: this.#server.sslMode },
      // libpq looks for it from the folder in which the build runs: its source.
      ...(this.#server.sslMode === 'verify-full' && { PGSSLROOTCERT: { value: CERTIFICATES_FILE } }),
    }
  }
}

const fieldOf = (secret: Pick<ISecret, 'secretArn'>, field: string): BuildEnvironmentVariable => ({
  type: BuildEnvironmentVariableType.SECRETS_MANAGER,
  value: `${secret.secretArn}:${field}`,
})
