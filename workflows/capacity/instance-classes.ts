/** Classes of Aurora instances. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.Summary.html */

export interface InstanceClass {
  /** As in `infra/app.ts`: without `db.` */
  readonly name: string
  readonly vcpus: number
  /** vCPUs that may be busy for ever. Of a T class more than its baseline is paid for by the hour. */
  readonly sustainedVcpus: number
  readonly memoryGibibytes: number
}

/** Burstable: a baseline of 20 % and 30 % of each vCPU. */
const tFamily = (family: string): InstanceClass[] => [
  { name: `${family}.medium`, vcpus: 2, sustainedVcpus: 0.4, memoryGibibytes: 4 },
  { name: `${family}.large`, vcpus: 2, sustainedVcpus: 0.6, memoryGibibytes: 8 },
]

/** One size of a family is half of the next: so are vCPUs, memory and price. */
const rFamily = (family: string, ...sizes: readonly (readonly [size: string, vcpus: number])[]): InstanceClass[] =>
  sizes.map(([size, vcpus]) => ({
    ...{ name: `${family}.${size}`, vcpus, sustainedVcpus: vcpus, memoryGibibytes: vcpus * 8 },
  }))

const SIZES = [
  ...([
    ['large', 2],
    ['xlarge', 4],
    ['2xlarge', 8],
    ['4xlarge', 16],
    ['8xlarge', 32],
  ] as const),
  ...([
    ['12xlarge', 48],
    ['16xlarge', 64],
  ] as const),
]

/** What is proposed, the smallest first: the families that cost least for what they do. */
export const PROPOSED_CLASSES: readonly InstanceClass[] = [
  ...tFamily('t4g'),
  ...rFamily('r8g', ...SIZES, ['24xlarge', 96], ['48xlarge', 192]),
]

/** All that are known. */
const CLASSES: readonly InstanceClass[] = [
  ...PROPOSED_CLASSES,
  ...tFamily('t3'),
  ...['r5', 'r6g', 'r6gd', 'r6i', 'r7g', 'r7i'].flatMap((family) => rFamily(family, ...SIZES)),
]

/** Memory of a unit in GiB. How much CPU comes with it AWS does not say; a quarter of a vCPU is what its R classes have. */
const UNIT_GIBIBYTES = 2
const UNIT_VCPUS = 0.25

/** A class by its name; undefined for one that is not on the list: a guess would be worse. */
export const findInstanceClass = (name: string): InstanceClass | undefined => CLASSES.find((each) => each.name === name)

/** What so many units of Serverless v2 are like. */
export const serverlessClass = (units: number): InstanceClass => ({
  ...{ name: 'serverless', vcpus: units * UNIT_VCPUS, sustainedVcpus: units * UNIT_VCPUS },
  memoryGibibytes: units * UNIT_GIBIBYTES,
})

/**
 * A class by its name, or what so many units are like.
 *
 * @throws for a class that is not on the list
 */
export function instanceClass(name: string, maxUnits: number | undefined): InstanceClass {
  const found = name === 'serverless' && maxUnits !== undefined ? serverlessClass(maxUnits) : findInstanceClass(name)
  if (found === undefined)
    throw new Error(`No vCPUs are known of instance class '${name}': add it to ${import.meta.filename}.`)
  return found
}

/** `max_connections` is `LEAST({DBInstanceClassMemory/9531392}, 5000)`. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Managing.html */
const BYTES_PER_CONNECTION = 9_531_392
const CONNECTIONS_MAX = 5_000

/**
 * What of the nominal memory counts: the system takes its part first. AWS's list has 189 where 2 GiB would be 225, and larger
 * ones keep more. Higher promises connections that are refused, lower asks for a larger instance too soon.
 */
const MEMORY_SHARE = 0.84

/** What an instance takes if nothing else is set. */
export const maxConnections = ({ memoryGibibytes }: Pick<InstanceClass, 'memoryGibibytes'>): number =>
  Math.min(CONNECTIONS_MAX, Math.floor((memoryGibibytes * MEMORY_SHARE * 1024 ** 3) / BYTES_PER_CONNECTION))

/** Units of Serverless v2, which come in halves, that take so many. */
export const unitsFor = (connections: number): number =>
  Math.ceil((2 * connections * BYTES_PER_CONNECTION) / (UNIT_GIBIBYTES * MEMORY_SHARE * 1024 ** 3)) / 2
