import { Duration } from 'aws-cdk-lib'
import { describe, expect, test } from 'vitest'
import { roles } from '../../db/passwords.ts'
import type { AuroraOptions } from '../../infra/aurora.ts'
import type { PipelineStackProps } from '../../infra/pipeline-stack.ts'
import { type Resource, stageOf, synthesize, targetOf } from './synthesized.ts'

const withAurora = (name: string, changed: Partial<AuroraOptions>): PipelineStackProps => {
  const stage = stageOf(name)
  if (stage.aws === undefined) throw new Error(`Stage ${name} is not on AWS`)
  return { ...stage, aws: { network: stage.aws.network, aurora: { ...stage.aws.aurora, ...changed } } }
}

const prod = synthesize(stageOf('prod'))
const dev = synthesize(stageOf('dev'))
const instancesOf = ({ ofType }: typeof prod): Resource['properties'][] =>
  ofType('AWS::RDS::DBInstance').map(({ path, properties, definition }) => ({
    name: path.split('/').at(-1),
    deletion: definition.DeletionPolicy,
    ...properties,
  }))

describe.each([
  ['prod', prod],
  ['dev', dev],
])('the cluster of %s', (_, stage) => {
  const cluster = stage.onlyOne('AWS::RDS::DBCluster')

  test('stays at its version until we move it, and is never billed for support', () => {
    expect(cluster.properties).toMatchObject({
      Engine: 'aurora-postgresql',
      EngineVersion: '17.7',
      AutoMinorVersionUpgrade: false,
      EngineLifecycleSupport: 'open-source-rds-extended-support-disabled',
    })
    expect(instancesOf(stage).map(({ AutoMinorVersionUpgrade }) => AutoMinorVersionUpgrade)).not.toContain(true)
  })

  test('is encrypted, at rest and on the way, and writes no statement and no detail to its log', () => {
    expect(cluster.properties).toMatchObject({ StorageEncrypted: true, EnableIAMDatabaseAuthentication: false })
    expect(stage.onlyOne('AWS::RDS::DBClusterParameterGroup').properties.Parameters).toEqual({
      'rds.force_ssl': '1',
      log_error_verbosity: 'terse',
      log_min_error_statement: 'panic',
    })
    for (const { CACertificateIdentifier } of instancesOf(stage))
      expect(CACertificateIdentifier).toBe('rds-ca-rsa2048-g1')
  })

  test('stands in isolated subnets, and nothing of it is public', () => {
    const { SubnetIds } = stage.onlyOne('AWS::RDS::DBSubnetGroup').properties

    expect(SubnetIds.map((id: Resource['properties']) => stage.pathsById.get(targetOf(id) ?? ''))).toEqual([
      'Network/Vpc/IsolatedSubnet1/Subnet',
      'Network/Vpc/IsolatedSubnet2/Subnet',
    ])
    expect(instancesOf(stage).map(({ PubliclyAccessible }) => PubliclyAccessible)).not.toContain(true)
  })

  test('admits functions and builds at its port, nobody else', () => {
    const group = stage.at('Aurora/SecurityGroup')
    const { GroupId, SourceSecurityGroupId, FromPort, ToPort } = stage.onlyOne(
      'AWS::EC2::SecurityGroupIngress',
    ).properties

    expect(cluster.properties.VpcSecurityGroupIds.map(targetOf)).toEqual([group.id])
    expect(group.properties.SecurityGroupIngress).toBeUndefined()
    expect([targetOf(GroupId), FromPort, ToPort]).toEqual([group.id, 5432, 5432])
    expect(targetOf(SourceSecurityGroupId)).toBe(stage.at('Network/Clients').id)
    expect(cluster.properties.Port).toBe(5432)
  })

  test('keeps its log as long as the stage does, and a week of what it waited for', () => {
    const { RetentionInDays } = stage.onlyOne('Custom::LogRetention').properties

    expect(cluster.properties).toMatchObject({
      EnableCloudwatchLogsExports: ['postgresql'],
      DatabaseInsightsMode: 'standard',
      PerformanceInsightsRetentionPeriod: 7,
    })
    expect(RetentionInDays).toBe(stage.at('Ingestion/IngestLog').properties.RetentionInDays)
  })
})

describe('prod', () => {
  test('is two instances, kept whatever happens to the stack, and can be restored for two weeks', () => {
    const cluster = prod.onlyOne('AWS::RDS::DBCluster')

    expect(instancesOf(prod)).toMatchObject([
      { name: 'Writer', DBInstanceClass: 'db.t4g.medium', deletion: 'Retain' },
      { name: 'Reader', DBInstanceClass: 'db.t4g.medium', deletion: 'Retain' },
    ])
    expect(cluster.properties).toMatchObject({ DeletionProtection: true, BackupRetentionPeriod: 14 })
    expect(cluster.definition).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' })
  })
})

describe('dev', () => {
  test('is one instance that pauses, and is gone with the stack', () => {
    const cluster = dev.onlyOne('AWS::RDS::DBCluster')

    expect(instancesOf(dev)).toMatchObject([{ name: 'Writer', DBInstanceClass: 'db.serverless' }])
    expect(cluster.properties).toMatchObject({
      DeletionProtection: false,
      BackupRetentionPeriod: 1,
      ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 2, SecondsUntilAutoPause: 300 },
    })
    expect(cluster.definition.DeletionPolicy).toBe('Delete')
  })
})

describe('a stage may', () => {
  test('admit ranges, security groups and prefix lists, to the port of the database', () => {
    const admitting = synthesize(withAurora('prod', { admitted: ['10.8.0.0/22', 'sg-0a1b2c3d', 'pl-0a1b2c3d'] }))
    const inline = admitting.at('Aurora/SecurityGroup').properties.SecurityGroupIngress
    const others = admitting.ofType('AWS::EC2::SecurityGroupIngress').map(({ properties }) => properties)

    const rules = [...(inline ?? []), ...others]
    for (const rule of rules) expect([rule.FromPort, rule.ToPort]).toEqual([5432, 5432])
    expect(rules.map((rule) => rule.CidrIp ?? rule.SourcePrefixListId ?? rule.SourceSecurityGroupId)).toEqual(
      expect.arrayContaining(['10.8.0.0/22', 'sg-0a1b2c3d', 'pl-0a1b2c3d']),
    )
    expect(rules).toHaveLength(4)
  })

  test('have a serverless cluster that never pauses, with a reader as large as its writer', () => {
    const compute = { kind: 'serverless', minUnits: 0.5, maxUnits: 8 } as const
    const scaling = synthesize(withAurora('prod', { compute, hasReader: true, backupRetention: Duration.days(7) }))

    expect(scaling.onlyOne('AWS::RDS::DBCluster').properties.ServerlessV2ScalingConfiguration).toEqual({
      MinCapacity: 0.5,
      MaxCapacity: 8,
    })
    // By the tier AWS has it scale with the writer.
    expect(instancesOf(scaling).map(({ name, PromotionTier }) => [name, PromotionTier])).toEqual([
      ['Writer', 0],
      ['Reader', 1],
    ])
  })
})

describe('the password', () => {
  const schedules = prod.ofType('AWS::SecretsManager::RotationSchedule')

  test('of every role and of the administrator changes every 30 days, and not with a deployment', () => {
    expect(schedules.map(({ path }) => path)).toEqual([...roles, 'admin'].map((name) => `Rotation/${name}`))
    for (const { properties } of schedules) {
      expect(properties).toMatchObject({
        RotationRules: { ScheduleExpression: 'rate(30 days)' },
        RotateImmediatelyOnUpdate: false,
        HostedRotationLambda: { RotationType: 'PostgreSQLSingleUser' },
      })
      expect(targetOf(properties.HostedRotationLambda.VpcSecurityGroupIds)).toBe(prod.at('Network/Clients').id)
    }
    expect(new Set(schedules.map(({ properties }) => targetOf(properties.SecretId))).size).toBe(schedules.length)
  })

  test.each(schedules)('of $path is changed by a function that finds its server in the secret', ({ properties }) => {
    const secret = prod.resources.find(({ id }) => id === targetOf(properties.SecretId))
    const template = JSON.stringify(secret?.properties.GenerateSecretString?.SecretStringTemplate)

    // RDS itself writes these fields into the secret of its administrator.
    if (secret?.type === 'AWS::SecretsManager::SecretTargetAttachment') return
    for (const field of ['engine', 'host', 'port', 'dbname', 'username']) expect(template).toContain(`\\"${field}\\":`)
  })

  test.each(schedules)('of $path is tried when the roles are there, and its log is cleared in time', (schedule) => {
    const { RotationLambdaName } = schedule.properties.HostedRotationLambda
    const log = prod
      .ofType('AWS::Logs::LogGroup')
      .find(({ properties }) => properties.LogGroupName === `/aws/lambda/${RotationLambdaName}`)

    expect(RotationLambdaName).toBe(schedule.path.replace('Rotation/', 'sluice-prod-rotate-'))
    expect(log?.properties.RetentionInDays).toBe(30)
    expect(prod.prerequisitesOf(schedule)).toContain(log?.id)
    expect(prod.prerequisitesOf(schedule)).toContain(prod.onlyOne('Custom::Trigger').id)
  })

  test('is changed on AWS only', () => {
    expect(synthesize(stageOf('local')).ofType('AWS::SecretsManager::RotationSchedule')).toEqual([])
  })
})
