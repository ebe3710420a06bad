import { describe, expect, test } from 'vitest'
import { estimateBill } from '../../../workflows/bill/bill.ts'
import { reference, referenceLoad } from './reference.ts'

const bill = estimateBill(reference(), referenceLoad)
const dollarsOf = (pattern: RegExp, of = bill) =>
  of.lines.filter(({ item }) => pattern.test(item)).reduce((sum, { dollars }) => sum + dollars, 0)
const total = (...[template, load = referenceLoad]: Parameters<typeof estimateBill> | [ReturnType<typeof reference>]) =>
  estimateBill(template, load).dollarsPerMonth

/** Its own arithmetic, line by line; and by how much and why ours is another. */
const lines = [
  ['requests to S3', /^S3: (?!what)/, 16.43, 0.03, 'builds write artifacts, which costs requests too'],
  ['what S3 holds', /^S3: what/, 10.49, 0, ''],
  ['SQS', /^SQS/, 1.51, -0.09, 'receives and deletes are not rounded up to two whole calls for 13 messages'],
  ['the ingest function', /^Lambda/, 0.52, 0, ''],
  ['Step Functions', /^Step/, 35.1, 0, ''],
  ['instances', /^Aurora: db/, 213.16, 0, ''],
  ['storage and I/O', /^Aurora: (what|I)/, 26.99, 0, ''],
  ['backups', /^Aurora: back/, 2.0, 0, ''],
  ['secrets', /^Secrets/, 0.45, 0, ''],
  ['NAT gateways, addresses and data', /^(NAT|Public)/, 78.0, 0, ''],
  ['builds: dbt, and migrations', /^CodeBuild/, 17.75 + 1, 0, ''],
  ['CloudWatch', /^(Logs|Alarms|Custom|Dash)/, 7.06, 0, ''],
  ['keys', /^Keys/, 3.2, 0.02, "CodeBuild asks AWS's key for its artifacts"],
  ['between zones', /^Between/, 1.52, 0, ''],
] as const

describe('the reference, made whole', () => {
  test.each(lines)('has the known figure for %s', (_, pattern, dollars, differs) => {
    expect(Math.abs(dollarsOf(pattern) - dollars - differs)).toBeLessThan(0.04)
  })

  test('is $415.18 in all, but for what is deliberately another', () => {
    const differs = lines.reduce((sum, [, , , difference]) => sum + difference, 0)
    expect(Math.abs(bill.dollarsPerMonth - differs - 415.18)).toBeLessThan(0.1)
    expect(bill.notPriced).toEqual([])
  })

  test('has no line that is not compared', () => {
    expect(
      bill.lines
        .filter(({ item }) => !lines.some(([, pattern]) => pattern.test(item)))
        .filter(({ dollars }) => dollars > 0),
    ).toEqual([])
  })
})

describe('a variant of the reference', () => {
  test('with smaller instances is $308.60', () => {
    const differs = lines.reduce((sum, [, , , difference]) => sum + difference, 0)
    expect(total(reference({ instanceClass: 'db.t4g.medium' })) - differs).toBeCloseTo(308.6, 0)
  })

  test('with endpoints for secrets and executions is $29.20 more', () => {
    expect(total(reference({ endpoints: ['secretsmanager', 'states'] })) - bill.dollarsPerMonth).toBeCloseTo(29.2, 2)
  })

  test('that starts an execution for each file pays $421 more for transitions', () => {
    const single = estimateBill(reference(), { ...referenceLoad, filesPerBatch: 1 })
    expect(dollarsOf(/^Step/, single) - dollarsOf(/^Step/)).toBeCloseTo(421, 0)
  })

  test('that drops nothing for a year pays $61 more for the database and $31 more for S3', () => {
    const year = { ...referenceLoad, assumed: { ...referenceLoad.assumed, rawRetentionDays: 365 } }
    const kept = estimateBill(reference({ hasLifecycle: false }), year)
    expect(dollarsOf(/^Aurora: what/, kept) - dollarsOf(/^Aurora: what/)).toBeCloseTo(61, 0)
    expect(dollarsOf(/^S3: what/, kept) - dollarsOf(/^S3: what/)).toBeCloseTo(31.5, 0)
  })

  test('whose files are read through the NAT gateway is $6.84 more', () => {
    expect(total(reference({ hasGatewayEndpoint: false })) - bill.dollarsPerMonth).toBeCloseTo(6.84, 2)
  })
})
