import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { estimateBill, type Load } from '../../../workflows/bill/bill.ts'
import { FREE, PRICED } from '../../../workflows/bill/coverage.ts'
import { statesOnWay } from '../../../workflows/bill/machine.ts'
import { PRINTED_METRICS } from '../../../workflows/bill/metrics.ts'
import { findSavings } from '../../../workflows/bill/savings.ts'
import { reference } from './reference.ts'

const root = join(import.meta.dirname, '../../..')
const load: Load = { filesPerDay: 100_000, kilobytes: 50, filesPerBatch: 13 }
const withResource = (Type: string, Properties = {}) => ({
  Resources: { ...reference().Resources, New: { Type, Properties } },
})
const volume = (VolumeType: string) => ({ Ebs: { VolumeSize: 8, VolumeType } })
const natInstance = {
  InstanceType: 't4g.nano',
  CreditSpecification: { CPUCredits: 'standard' },
  BlockDeviceMappings: [volume('gp3')],
  NetworkInterfaces: [{ AssociatePublicIpAddress: true }],
}
const dollarsOf = (item: string, ...given: Parameters<typeof estimateBill>) =>
  estimateBill(...given).lines.find((line) => line.item === item)?.dollars ?? 0

describe('what has no price', () => {
  test.each([
    ['AWS::ElastiCache::CacheCluster', {}, 'no price is known for this type'],
    ['AWS::RDS::DBInstance', { DBInstanceClass: 'db.x2g.large' }, 'class db.x2g.large'],
    ['AWS::RDS::DBInstance', { DBInstanceClass: 'db.t4g.medium', MonitoringInterval: 60 }, 'Enhanced Monitoring'],
    ['AWS::RDS::DBCluster', { Engine: 'aurora-postgresql', StorageType: 'aurora-iopt1' }, 'storage aurora-iopt1'],
    ['AWS::RDS::DBCluster', { Engine: 'aurora-postgresql', DatabaseInsightsMode: 'advanced' }, 'Database Insights'],
    ['AWS::EC2::Instance', { ...natInstance, InstanceType: 'm7g.large' }, 'class m7g.large'],
    ['AWS::EC2::Instance', { ...natInstance, Monitoring: true }, 'detailed monitoring'],
    ['AWS::EC2::Instance', { ...natInstance, CreditSpecification: undefined }, 'CPU credits without limit'],
    ['AWS::EC2::Instance', { ...natInstance, BlockDeviceMappings: [] }, 'a volume whose size the image says'],
    ['AWS::EC2::Instance', { ...natInstance, BlockDeviceMappings: [volume('io2')] }, 'volume io2'],
    ['AWS::Lambda::Function', { FunctionName: 'sluice-prod-compact' }, 'how often sluice-prod-compact is called'],
    ['AWS::CodeBuild::Project', { Name: 'x-transform', Environment: { ComputeType: 'GPU' } }, 'size GPU'],
    ['AWS::SNS::Subscription', { Protocol: 'sms' }, 'sms'],
    ['AWS::Events::Rule', { EventPattern: { source: ['sluice'] } }, "events that are not AWS's own"],
  ])('is reported, not left out: %s', (type, properties, what) => {
    const { notPriced } = estimateBill(withResource(type, properties), load)
    expect(notPriced).toHaveLength(1)
    expect(notPriced[0]).toContain(what)
  })

  test('no type is both free and priced, and each that is free says why', () => {
    expect(Object.keys(FREE).filter((type) => PRICED.has(type))).toEqual([])
    for (const reason of Object.values(FREE)) expect(reason).not.toBe('')
  })

  test('a schedule that cannot be read is an error', () => {
    const schedule = { ScheduleExpression: 'cron(0 1 * * ? *)', Target: {} }
    expect(() => estimateBill(withResource('AWS::Scheduler::Schedule', schedule), load)).toThrow('is no rate(...)')
  })
})

describe('what is read from the template', () => {
  test('each metric of an alarm with an expression is paid for, and those of high resolution three times', () => {
    const stat = (Period: number) => ({ MetricStat: { Period } })
    const alarms = (Metrics: object[]) => withResource('AWS::CloudWatch::Alarm', { Metrics })
    expect(dollarsOf('Alarms', alarms([stat(60), stat(60), { Expression: 'm1 / m2' }]), load)).toBeCloseTo(1.4)
    expect(dollarsOf('Alarms of high resolution', alarms([stat(10)]), load)).toBeCloseTo(0.3)
  })

  test('an expired file of a versioned bucket is hidden for some days more, and paid for', () => {
    const versioned = (NoncurrentDays: number) => ({
      Resources: {
        ...reference().Resources,
        Bucket0: {
          Type: 'AWS::S3::Bucket',
          Properties: {
            VersioningConfiguration: { Status: 'Enabled' },
            LifecycleConfiguration: {
              Rules: [{ Status: 'Enabled', ExpirationInDays: 90, NoncurrentVersionExpiration: { NoncurrentDays } }],
            },
          },
        },
      },
    })
    const perDay = 5 * 0.023
    const item = 'S3: what it holds'
    expect(dollarsOf(item, versioned(30), load) - dollarsOf(item, versioned(1), load)).toBeCloseTo(29 * perDay, 1)
  })

  test('documents stay as long as the function that drops them is told', () => {
    const item = 'Aurora: what it holds of documents'
    const told = (RAW_RETENTION_DAYS: string) =>
      withResource('AWS::Lambda::Function', {
        FunctionName: 'sluice-x-sweep',
        Environment: { Variables: { RAW_RETENTION_DAYS } },
      })
    expect(dollarsOf(item, told('30'), load)).toBeCloseTo(dollarsOf(item, reference(), load) - 60 * 2.23 * 0.1, 2)
  })

  test('a NAT instance is paid for by the hour, with its volume and its address, and not by the gigabyte', () => {
    const { Nat0: _, Nat1: __, Address0: ___, Address1: ____, ...rest } = reference().Resources
    const withInstance = { Resources: { ...rest, New: { Type: 'AWS::EC2::Instance', Properties: natInstance } } }
    expect(dollarsOf('EC2: t4g.nano', withInstance, load)).toBeCloseTo(3.07, 2)
    expect(dollarsOf('EC2: volumes', withInstance, load)).toBeCloseTo(0.64, 2)
    expect(dollarsOf('Public addresses', withInstance, load)).toBeCloseTo(3.65, 2)
    expect(
      dollarsOf('NAT: gateways', withInstance, load) + dollarsOf('NAT: what goes through', withInstance, load),
    ).toBe(0)
    expect(dollarsOf('Between zones: to the way out', withInstance, load)).toBeGreaterThan(0)
    expect(estimateBill(withInstance, load).notPriced).toEqual([])
  })

  test('a database that sleeps costs nothing while nobody comes, and one with a clock never sleeps', () => {
    const { Instance0: _, Instance1: __, ...rest } = reference().Resources
    const serverless = {
      ...rest,
      Instance: { Type: 'AWS::RDS::DBInstance', Properties: { DBInstanceClass: 'db.serverless' } },
      Cluster0: {
        Type: 'AWS::RDS::DBCluster',
        Properties: {
          Engine: 'aurora-postgresql',
          ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 2 },
        },
      },
    }
    const clock = {
      Type: 'AWS::Scheduler::Schedule',
      Properties: { ScheduleExpression: 'rate(1 hour)', Target: { Input: '{"trigger":"batch"}' } },
    }
    const rest0 = { ...load, filesPerDay: 0 }
    expect(dollarsOf('Aurora: serverless', { Resources: serverless }, rest0)).toBe(0)
    expect(dollarsOf('Aurora: serverless', { Resources: { ...serverless, Clock: clock } }, rest0)).toBeCloseTo(87.6)
    expect(dollarsOf('Aurora: serverless', { Resources: serverless }, load)).toBeCloseTo(87.6)
  })
})

test('the ways through the state machine are as long as it says', () => {
  const machine = JSON.parse(readFileSync(join(root, 'workflows/pipeline.asl.json'), 'utf8'))
  expect(statesOnWay(machine, 'batch')).toBe(2)
  expect(statesOnWay(machine, 'batch', 'QuarantineFiles')).toBe(3)
  expect(statesOnWay(machine, 'batch', 'RunDbt')).toBe(3)
  expect(statesOnWay(machine, 'sweep')).toBe(4)
  expect(statesOnWay(machine, 'transform', 'ClaimTransform')).toBe(4)
  expect(() => statesOnWay(machine, 'nobody')).toThrow('no route')
})

test('every metric that a function prints is counted, and no other', () => {
  const files = readdirSync(join(root, 'handlers'), { recursive: true, encoding: 'utf8' })
  const printed = files
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, 'handlers', name), 'utf8'))
    .filter((code) => code.includes('/metrics.ts'))
    .flatMap((code) => [...code.matchAll(/(?:countOf\(|name: )'([A-Z]\w+)'/g)].map(([, name]) => name))
  expect(PRINTED_METRICS.map(({ name }) => name).toSorted()).toEqual([...new Set(printed)].toSorted())
})

test('savings are those that save most, first, with what each costs in turn', () => {
  const bill = estimateBill(reference(), load)
  const [first, second, third, ...more] = findSavings(reference(), load, bill)
  expect(more).toEqual([])
  expect(first?.change).toBe('no reader of Aurora')
  expect(first?.dollars).toBeCloseTo(106.58)
  expect(first?.dollars).toBeGreaterThanOrEqual(second?.dollars ?? 0)
  expect(second?.dollars).toBeGreaterThanOrEqual(third?.dollars ?? 0)
  expect(third?.inTurn).not.toBe('')
})
