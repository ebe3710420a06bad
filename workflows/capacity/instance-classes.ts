/** Classes of Aurora instances, the smallest first. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.Summary.html */

export interface InstanceClass {
  readonly name: string
  readonly vcpus: number
  /** vCPUs that may be busy for ever. Of a T class more than its baseline is paid for by the hour. */
  readonly sustainedVcpus: number
  readonly memoryGibibytes: number
}

/** One class of a family is half of the next: so are vCPUs, memory and price. */
const r8g = (name: string, vcpus: number): InstanceClass => ({
  name: `r8g.${name}`,
  vcpus,
  sustainedVcpus: vcpus,
  memoryGibibytes: vcpus * 8,
})

export const INSTANCE_CLASSES: readonly InstanceClass[] = [
  // A baseline of 20 % and 30 % of each vCPU.
  { name: 't4g.medium', vcpus: 2, sustainedVcpus: 0.4, memoryGibibytes: 4 },
  { name: 't4g.large', vcpus: 2, sustainedVcpus: 0.6, memoryGibibytes: 8 },
  ...[r8g('large', 2), r8g('xlarge', 4), r8g('2xlarge', 8), r8g('4xlarge', 16), r8g('8xlarge', 32)],
  ...[r8g('12xlarge', 48), r8g('16xlarge', 64), r8g('24xlarge', 96), r8g('48xlarge', 192)],
]

/** Memory of a unit in GiB. How much CPU comes with it AWS does not say; a quarter of a vCPU is what its R classes have. */
const UNIT_GIBIBYTES = 2
const UNIT_VCPUS = 0.25

/**
 * A class by its name.
 *
 * @throws for a class that is not on the list: a guess would be worse
 */
export function instanceClass(name: string, maxUnits: number | undefined): InstanceClass {
  if (name === 'serverless' && maxUnits !== undefined) {
    const vcpus = maxUnits * UNIT_VCPUS
    return { name, vcpus, sustainedVcpus: vcpus, memoryGibibytes: maxUnits * UNIT_GIBIBYTES }
  }
  const found = INSTANCE_CLASSES.find((each) => each.name === name)
  if (found === undefined)
    throw new Error(`No vCPUs are known of instance class '${name}': add it to ${import.meta.filename}.`)
  return found
}

/** What the class takes if nothing else is set. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Managing.html */
export const maxConnections = ({ memoryGibibytes }: InstanceClass): number =>
  Math.min(5_000, Math.floor((memoryGibibytes * 1024 ** 3) / 9_531_392))
