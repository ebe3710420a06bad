/** The network: NAT gateways with what goes through them, addresses, endpoints, and what crosses from zone to zone. */
import { z } from 'zod'
import type { Estimate } from './estimate.ts'
import { countAddressesOfInstances } from './instances.ts'
import { type BillLine, charge, count } from './line.ts'
import { prices } from './prices.ts'
import { countOf, resourcesOf } from './template.ts'
import { HOURS } from './traffic.ts'

const endpoint = z.looseObject({
  VpcEndpointType: z.string().default('Gateway'),
  SubnetIds: z.array(z.unknown()).default([]),
  ServiceName: z.unknown(),
})
const inNetwork = z.looseObject({
  VpcConfig: z.looseObject({ SubnetIds: z.array(z.unknown()).default([]) }).optional(),
})

export function networkLines({ template, traffic, assumed }: Estimate): BillLine[] {
  const { gigabytes, batches, builds } = traffic
  const gateways = countOf(template, 'AWS::EC2::NatGateway')
  const waysOut = gateways + countOf(template, 'AWS::EC2::Instance')
  const addresses = countOf(template, 'AWS::EC2::EIP') + countAddressesOfInstances(template)
  const endpoints = resourcesOf(template, 'AWS::EC2::VPCEndpoint', endpoint)
  const interfaces = endpoints.filter(({ VpcEndpointType }) => VpcEndpointType === 'Interface')
  const zonesOfInterfaces = interfaces.reduce((sum, { SubnetIds }) => sum + SubnetIds.length, 0)
  const readsByEndpoint = endpoints.some(
    ({ VpcEndpointType, ServiceName }) => VpcEndpointType === 'Gateway' && /s3"?\]?/.test(JSON.stringify(ServiceName)),
  )
  const subnets = resourcesOf(template, 'AWS::Lambda::Function', inNetwork).map(
    ({ VpcConfig }) => VpcConfig?.SubnetIds.length ?? 0,
  )
  const zones = Math.max(0, ...subnets)
  const starts = (batches * assumed.batchKilobytesThroughNat) / 1e6
  const ofBuilds = (builds * assumed.buildMegabytes) / 1e3
  const crossing = zones > 1 ? 1 - 1 / zones : 0
  return [
    charge('NAT: gateways', prices.natHour, [[gateways * HOURS, `${gateways} x ${HOURS} h`]]),
    charge('NAT: what goes through', prices.natData, [
      [gateways > 0 ? starts : 0, `${count(starts)} GB of starts`],
      [gateways > 0 ? ofBuilds : 0, `${count(ofBuilds)} GB of builds`],
      [gateways > 0 && !readsByEndpoint ? gigabytes : 0, `${count(gigabytes)} GB of files`],
    ]),
    charge('Public addresses', prices.address, [[addresses * HOURS, `${addresses} x ${HOURS} h`]]),
    charge('Interface endpoints', prices.endpointHour, [
      [zonesOfInterfaces * HOURS, `${interfaces.length} in ${zonesOfInterfaces} zones x ${HOURS} h`],
    ]),
    charge('Between zones: files to the writer', prices.betweenZones, [
      [gigabytes * crossing, `${count(gigabytes)} GB x ${count(crossing)}`],
    ]),
    charge('Between zones: to the way out', prices.betweenZones, [
      [waysOut === 1 ? (starts + ofBuilds) * crossing : 0, `${count(starts + ofBuilds)} GB x ${count(crossing)}`],
    ]),
  ]
}
