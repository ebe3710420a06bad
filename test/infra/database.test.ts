/** Who is told what of the database, for a server as on AWS; the stage `local` is in the tests of the stack. */
import { App, SecretValue, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { describe, expect, test } from 'vitest'
import { roles } from '../../db/passwords.ts'
import { Database } from '../../infra/database.ts'
import { at, ofType, readable } from './synthesized.ts'

const stack = new Stack(new App(), 'Only')
const adminSecret = new Secret(stack, 'Admin', { secretStringValue: SecretValue.unsafePlainText('{}') })
const server = {
  ...{ host: 'db.example.com', port: '5432', databaseName: 'sluice', adminSecret: adminSecret as ISecret },
  sslMode: 'verify-full' as const,
}
const database = new Database(stack, 'Database', { stage: 'test', server })
type Properties = Record<string, Record<string, unknown> | undefined>
const secrets = Object.values<{ Properties: Properties }>(Template.fromStack(stack).toJSON().Resources)
  .map(({ Properties }) => Properties.GenerateSecretString)
  .filter((generated) => generated !== undefined)

describe('a secret', () => {
  test('is there for each role that the migrations make', () => {
    expect(Object.keys(database.secrets)).toEqual([...roles])
    expect(secrets.map(({ SecretStringTemplate }) => JSON.parse(String(SecretStringTemplate)).username)).toEqual(
      roles.map((role) => `sluice_${role}`),
    )
  })

  test('has the fields of an RDS secret, and a password that is generated', () => {
    expect(secrets[0]).toEqual({
      SecretStringTemplate: JSON.stringify({
        ...{ engine: 'postgres', host: 'db.example.com', port: '5432', dbname: 'sluice', username: 'sluice_ingest' },
      }),
      GenerateStringKey: 'password',
      PasswordLength: 40,
      ExcludePunctuation: true,
    })
  })
})

describe('a server with a certificate', () => {
  test('is verified by functions', () => {
    expect(database.environmentOf('ingest')).toMatchObject({ DATABASE_SSL: 'verify-full' })
  })

  test.each([...roles, 'admin'] as const)('is verified by builds that connect as %s', (role) => {
    expect(database.variablesOf(role)).toMatchObject({
      PGSSLMODE: { value: 'verify-full' },
      PGSSLROOTCERT: { value: 'rds-ca.pem' },
    })
  })
})

describe('each function', () => {
  test.each([
    ['Ingestion/Ingest', 'Ingest'],
    ['Inspection/ReadLedger', 'Inspection'],
    ['Erasure/EraseFile', 'Erasure'],
    ['Orchestration/LoadFile', 'Ingest'],
    ...['ClaimDeadLetters', 'ClaimTransform', 'CollectDeadLetters', 'QuarantineFiles', 'ReplayFiles', 'Sweep'].map(
      (name) => [`Orchestration/${name}`, 'Maintenance'],
    ),
  ])('%s is told the secret of the role %s', (path, role) => {
    const { Variables } = at(path, 'AWS::Lambda::Function').properties.Environment

    expect(readable(Variables.DATABASE_SECRET_ARN)).toBe(`Database/${role}Secret`)
    expect(Variables.DATABASE_SSL).toBe('disable')
  })

  test('that is told one is listed here', () => {
    const told = ofType('AWS::Lambda::Function').filter(
      ({ properties }) => properties.Environment?.Variables.DATABASE_SECRET_ARN !== undefined,
    )
    expect(told).toHaveLength(11)
  })
})
