/** Aurora: its instances, what it holds, reads and writes, and its backups. */
import { z } from 'zod'
import type { Estimate } from './estimate.ts'
import { type BillLine, charge, count } from './line.ts'
import { auroraClasses, prices } from './prices.ts'
import { countOf, resourcesOf } from './template.ts'
import { DAYS, HOURS } from './traffic.ts'

const cluster = z.looseObject({
  Engine: z.string(),
  BackupRetentionPeriod: z.number().default(1),
  StorageType: z.string().default('aurora'),
  DatabaseInsightsMode: z.string().default('standard'),
  PerformanceInsightsRetentionPeriod: z.number().default(7),
  ServerlessV2ScalingConfiguration: z
    .looseObject({ MinCapacity: z.number(), MaxCapacity: z.number(), SecondsUntilAutoPause: z.number().default(300) })
    .optional(),
})
const instance = z.looseObject({ DBInstanceClass: z.string(), MonitoringInterval: z.number().default(0) })

const SERVERLESS = 'db.serverless'
/** What Aurora writes at once, and what it reads. */
const WRITTEN_KILOBYTES = 4
const SECONDS_A_DAY = 86_400

/** What costs something and has no price here. */
export function unpricedDatabases({ template }: Estimate): string[] {
  const clusters = resourcesOf(template, 'AWS::RDS::DBCluster', cluster).flatMap((each) => [
    ...(each.Engine === 'aurora-postgresql' ? [] : [`${each.id}: engine ${each.Engine}`]),
    ...(each.StorageType === 'aurora' ? [] : [`${each.id}: storage ${each.StorageType}`]),
    ...(each.DatabaseInsightsMode === 'standard' ? [] : [`${each.id}: Database Insights ${each.DatabaseInsightsMode}`]),
    ...(each.PerformanceInsightsRetentionPeriod <= 7 ? [] : [`${each.id}: Performance Insights beyond 7 days`]),
  ])
  const instances = resourcesOf(template, 'AWS::RDS::DBInstance', instance).flatMap((each) => [
    ...(each.DBInstanceClass === SERVERLESS || auroraClasses[each.DBInstanceClass]
      ? []
      : [`${each.id}: class ${each.DBInstanceClass}`]),
    ...(each.MonitoringInterval === 0 ? [] : [`${each.id}: Enhanced Monitoring`]),
  ])
  return [
    ...clusters.map((what) => `AWS::RDS::DBCluster ${what}`),
    ...instances.map((what) => `AWS::RDS::DBInstance ${what}`),
  ]
}

export function databaseLines(estimate: Estimate): BillLine[] {
  const [found] = resourcesOf(estimate.template, 'AWS::RDS::DBCluster', cluster)
  if (found === undefined) return []
  return [...instanceLines(estimate, found), ...volumeLines(estimate, found.BackupRetentionPeriod)]
}

function instanceLines(
  estimate: Estimate,
  { ServerlessV2ScalingConfiguration: scaling }: z.infer<typeof cluster>,
): BillLine[] {
  const { template, assumed, traffic, load } = estimate
  const instances = resourcesOf(template, 'AWS::RDS::DBInstance', instance)
  const lines = [...Map.groupBy(instances, ({ DBInstanceClass }) => DBInstanceClass)].flatMap(([name, { length }]) => {
    const known = auroraClasses[name]
    if (known !== undefined) {
      return [charge(`Aurora: ${name}`, known.price, [[length * HOURS, `${length} x ${HOURS} h`]])]
    }
    if (name !== SERVERLESS || scaling === undefined) return []
    const { MinCapacity: least, MaxCapacity: most, SecondsUntilAutoPause: pause } = scaling
    const isWoken = traffic.schedules.length > 0
    const byFiles = (load.filesPerDay * (pause + assumed.heldAwakeSeconds)) / SECONDS_A_DAY
    // A new password is tried, whoever sleeps.
    const byRotations = (countOf(template, 'AWS::SecretsManager::RotationSchedule') * pause) / (30 * SECONDS_A_DAY)
    const awake = isWoken ? 1 : Math.min(1, byFiles + byRotations)
    const units = Math.min(most, Math.max(least, assumed.unitsUnderLoad))
    const unitHours = length * HOURS * (awake * units + (1 - awake) * least)
    return [
      charge('Aurora: serverless', prices.auroraUnit, [
        [
          unitHours,
          `${length} x ${HOURS} h x (${count(awake * 100)} % awake x ${units} units + ${count((1 - awake) * 100)} % x ${least})`,
        ],
      ]),
    ]
  })
  const writer = auroraClasses[instances[0]?.DBInstanceClass ?? '']
  if (writer?.baseline === undefined) return lines
  const needed = (traffic.files * assumed.databaseMillisecondsPerFile * load.kilobytes) / 50 / 3.6e6
  const given = writer.vcpus * writer.baseline * HOURS
  return [
    ...lines,
    charge('Aurora: CPU beyond the baseline', prices.cpuCredit, [
      [Math.max(0, needed - given), `max(0, ${count(needed)} vCPU-hours - ${count(given)} of the baseline)`],
    ]),
  ]
}

function volumeLines({ traffic, assumed, load }: Estimate, backupDays: number): BillLine[] {
  const { files } = traffic
  const storedGigabytes = (load.kilobytes * assumed.storedShare) / 1e6
  const perDay = (files / DAYS) * storedGigabytes
  const raw = perDay * assumed.rawRetentionDays
  const ledger = (files * assumed.ledgerBytesPerFile) / 1e9
  const marts = (files * load.kilobytes * assumed.martsShare) / 1e6
  const held = raw + (ledger + marts) * assumed.stageAgeMonths
  const writes = files * ((load.kilobytes * assumed.storedShare + assumed.walKilobytesPerFile) / WRITTEN_KILOBYTES)
  const lookups = (files * assumed.transformIoPerFile * load.kilobytes) / 50
  const transform = lookups + (files * load.kilobytes * assumed.martsShare) / WRITTEN_KILOBYTES
  const queries = files > 0 ? assumed.queryIo : 0
  const backup = backupDays > 1 ? perDay * backupDays * assumed.backupFactor : 0
  return [
    charge('Aurora: what it holds of documents', prices.auroraStorage, [
      [raw, `${count(perDay)} GB a day x ${count(assumed.rawRetentionDays)} days`],
      [Math.max(0, assumed.databaseBaseGigabytes - held), `up to ${count(assumed.databaseBaseGigabytes)} GB at least`],
    ]),
    charge('Aurora: what it holds of ledger and marts', prices.auroraStorage, [
      [ledger * assumed.stageAgeMonths, `ledger ${count(ledger)} GB a month x ${count(assumed.stageAgeMonths)}`],
      [marts * assumed.stageAgeMonths, `marts ${count(marts)} GB a month x ${count(assumed.stageAgeMonths)}`],
    ]),
    charge('Aurora: I/O', prices.auroraIo, [
      [writes, `${count(writes)} loading`],
      [transform, `${count(transform)} dbt`],
      [queries, `${count(queries)} queries`],
    ]),
    charge('Aurora: backups beyond the free copy', prices.auroraBackup, [
      [backup, `${count(perDay)} GB a day x ${backupDays} days x ${count(assumed.backupFactor)}`],
    ]),
  ]
}
