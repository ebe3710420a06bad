/** EC2: an instance that is the way out of a network, with its volume. Its address is with the others, in `network.ts`. */
import { z } from 'zod'
import type { Estimate } from './estimate.ts'
import { type BillLine, charge } from './line.ts'
import { instanceClasses, prices } from './prices.ts'
import { resourcesOf, type Template } from './template.ts'
import { HOURS } from './traffic.ts'

const instance = z.looseObject({
  InstanceType: z.string(),
  Monitoring: z.boolean().default(false),
  // Of a T class; EC2 itself takes `unlimited`, if not given.
  CreditSpecification: z.looseObject({ CPUCredits: z.string() }).optional(),
  BlockDeviceMappings: z
    .array(z.looseObject({ Ebs: z.looseObject({ VolumeSize: z.number(), VolumeType: z.string() }) }))
    .default([]),
  NetworkInterfaces: z.array(z.looseObject({ AssociatePublicIpAddress: z.boolean().default(false) })).default([]),
})

const instancesOf = (template: Template) => resourcesOf(template, 'AWS::EC2::Instance', instance)

/** Instances that have a public address, without one being in the template by itself. */
export const countAddressesOfInstances = (template: Template): number =>
  instancesOf(template).filter(({ NetworkInterfaces }) =>
    NetworkInterfaces.some(({ AssociatePublicIpAddress }) => AssociatePublicIpAddress),
  ).length

export function instanceLines({ template }: Estimate): BillLine[] {
  const instances = instancesOf(template)
  const volumes = instances.flatMap(({ BlockDeviceMappings }) => BlockDeviceMappings)
  const gigabytes = volumes.reduce((sum, { Ebs }) => sum + Ebs.VolumeSize, 0)
  const ofClasses = [...Map.groupBy(instances, ({ InstanceType }) => InstanceType)].flatMap(([name, { length }]) => {
    const price = instanceClasses[name]
    return price === undefined ? [] : [charge(`EC2: ${name}`, price, [[length * HOURS, `${length} x ${HOURS} h`]])]
  })
  return [...ofClasses, charge('EC2: volumes', prices.volume, [[gigabytes, `${gigabytes} GB`]])]
}

/** What costs something and has no price here. */
export function unpricedInstances({ template }: Estimate): string[] {
  return instancesOf(template).flatMap((each) => {
    const { id, InstanceType, CreditSpecification, BlockDeviceMappings } = each
    const types = BlockDeviceMappings.map(({ Ebs }) => Ebs.VolumeType)
    return [
      ...(instanceClasses[InstanceType] ? [] : [`class ${InstanceType}`]),
      ...(each.Monitoring ? ['detailed monitoring'] : []),
      ...(CreditSpecification?.CPUCredits === 'standard' ? [] : ['CPU credits without limit']),
      ...(types.length > 0 ? [] : ['a volume whose size the image says']),
      ...types.filter((type) => type !== 'gp3').map((type) => `volume ${type}`),
    ].map((what) => `AWS::EC2::Instance ${id}: ${what}`)
  })
}
