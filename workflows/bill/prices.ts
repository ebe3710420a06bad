/** What AWS charges in us-east-1: every price once, with its unit, the day on which a source gave it, and which. */

export interface Price {
  readonly dollars: number
  /** How many units the price is for. */
  readonly per: number
  readonly unit: string
  /** The day of the source, as YYYY-MM-DD, or that of reading it where it has none: a reader must see how old a price is. */
  readonly asOf: string
  readonly source: string
}

type Source = Pick<Price, 'asOf' | 'source'>

const PRICE_LIST: Source = { asOf: '2026-08-21', source: 'AWS price list, us-east-1 (infracost golden files)' }
const AURORA: Source = { asOf: '2026-08-20', source: 'github.com/aws/agent-toolkit-for-aws, Aurora PostgreSQL' }
const EC2: Source = {
  asOf: '2026-08-17',
  source: 'AWS price list AmazonEC2, us-east-1 (SKU DU8E8NJG743V3F8M, JG3KUJMBRGHV3N8G)',
}
const VPC: Source = { asOf: '2026-06-01', source: 'zacfukuda.com/blog/aws-nat-gateway-vs-vpc-endpoint' }
const STEP_FUNCTIONS: Source = { asOf: '2026-08-21', source: 'aws.amazon.com/step-functions/pricing' }
const SCHEDULER: Source = { asOf: '2026-03-01', source: 'cloudburn.io/blog/amazon-eventbridge-pricing' }
const BETWEEN_ZONES: Source = { asOf: '2026-05-01', source: 'usage.ai/blogs/aws-network-costs' }
const ADDRESSES: Source = {
  asOf: '2024-02-01',
  source: 'aws.amazon.com/blogs/networking-and-content-delivery, public IPv4 addresses',
}
const CLOUDWATCH: Source = { asOf: '2026-11-25', source: 'c3x.dev/blog/aws-cloudwatch-metrics-cost' }

const price = (dollars: number, per: number, unit: string, source: Source): Price => ({ dollars, per, unit, ...source })

export const prices = {
  s3Put: price(0.005, 1_000, 'PUT', PRICE_LIST),
  s3Get: price(0.0004, 1_000, 'GET', PRICE_LIST),
  s3Storage: price(0.023, 1, 'GB-month', PRICE_LIST),
  sqsRequest: price(0.4, 1_000_000, 'request', PRICE_LIST),
  lambdaArm: price(0.0000133334, 1, 'GB-s', PRICE_LIST),
  lambdaX86: price(0.0000166667, 1, 'GB-s', PRICE_LIST),
  lambdaRequest: price(0.2, 1_000_000, 'request', PRICE_LIST),
  transition: price(0.025, 1_000, 'transition', STEP_FUNCTIONS),
  schedule: price(1, 1_000_000, 'start', SCHEDULER),
  auroraUnit: price(0.12, 1, 'unit-hour', AURORA),
  auroraStorage: price(0.1, 1, 'GB-month', AURORA),
  auroraIo: price(0.2, 1_000_000, 'I/O', AURORA),
  auroraBackup: price(0.021, 1, 'GB-month', PRICE_LIST),
  cpuCredit: price(0.09, 1, 'vCPU-hour', PRICE_LIST),
  natHour: price(0.045, 1, 'hour', VPC),
  natData: price(0.045, 1, 'GB', VPC),
  /** Of gp3, with the speed that is included. */
  volume: price(0.08, 1, 'GB-month', EC2),
  address: price(0.005, 1, 'hour', ADDRESSES),
  endpointHour: price(0.01, 1, 'hour', VPC),
  endpointData: price(0.01, 1, 'GB', VPC),
  /** A gigabyte from one zone to another: $0.01 to whoever sends it, and $0.01 to whoever receives it. */
  betweenZones: price(0.02, 1, 'GB', BETWEEN_ZONES),
  buildSmall: price(0.005, 1, 'minute', PRICE_LIST),
  buildMedium: price(0.01, 1, 'minute', PRICE_LIST),
  logIntake: price(0.5, 1, 'GB', PRICE_LIST),
  logStorage: price(0.03, 1, 'GB-month', PRICE_LIST),
  alarm: price(0.1, 1, 'metric', PRICE_LIST),
  alarmHighResolution: price(0.3, 1, 'metric', PRICE_LIST),
  compositeAlarm: price(0.5, 1, 'alarm', PRICE_LIST),
  metric: price(0.3, 1, 'metric', CLOUDWATCH),
  dashboard: price(3, 1, 'dashboard', CLOUDWATCH),
  secret: price(0.4, 1, 'secret', PRICE_LIST),
  secretCall: price(0.05, 10_000, 'call', PRICE_LIST),
  key: price(1, 1, 'key', PRICE_LIST),
  keyCall: price(0.03, 10_000, 'call', PRICE_LIST),
  notice: price(0.5, 1_000_000, 'notice', PRICE_LIST),
  mail: price(2, 100_000, 'mail', PRICE_LIST),
} satisfies Record<string, Price>

/** By class: what an hour costs, how many vCPUs it has, and which share of each the T classes may use for ever. */
export const auroraClasses: Readonly<
  Record<string, { readonly price: Price; readonly vcpus: number; readonly baseline?: number }>
> = {
  'db.t4g.medium': { price: price(0.073, 1, 'hour', AURORA), vcpus: 2, baseline: 0.2 },
  'db.t4g.large': { price: price(0.146, 1, 'hour', AURORA), vcpus: 2, baseline: 0.3 },
  'db.r6g.large': { price: price(0.26, 1, 'hour', AURORA), vcpus: 2 },
  'db.r7g.large': { price: price(0.276, 1, 'hour', AURORA), vcpus: 2 },
  'db.r8g.large': { price: price(0.276, 1, 'hour', AURORA), vcpus: 2 },
}

/** What an hour of an instance costs, by class. Of T classes without credits beyond what they earn. */
export const instanceClasses: Readonly<Record<string, Price>> = { 't4g.nano': price(0.0042, 1, 'hour', EC2) }
