/** The Lambda function that brings the database to the present schema. Invoked by every deployment that changed it. */
import { join } from 'node:path'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { type MigrationReport, migrateDatabase } from '../../db/migrate.ts'
import { databaseFromSecret } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { logger } from '../logger.ts'

export const handler = async (): Promise<MigrationReport> => {
  const { DATABASE_SECRET_ARN } = readEnvironment('DATABASE_SECRET_ARN')
  const withDatabase = databaseFromSecret(new SecretsManagerClient(), DATABASE_SECRET_ARN, 'sluice-migrate')
  // The bundle carries a copy of db/migrations beside its code.
  const report = await withDatabase((database) => migrateDatabase(database, join(import.meta.dirname, 'migrations')))
  logger.info('database migrated', { migrations: report.migrations, partitions: report.partitions.length })
  return report
}
