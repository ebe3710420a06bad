import { describe, expect, test } from 'vitest'
import type { ExistingNetwork } from '../../infra/network.ts'
import type { PipelineStackProps } from '../../infra/pipeline-stack.ts'
import { type Resource, stageOf, synthesize, targetOf } from './synthesized.ts'

const prod = stageOf('prod')
if (prod.aws === undefined) throw new Error('Stage prod is on AWS')
const { aurora } = prod.aws
const inExisting = (network: ExistingNetwork): PipelineStackProps => ({ ...prod, aws: { network, aurora } })

const made = synthesize(prod)
const pathsOf = (resources: readonly Resource[]): string[] => resources.map(({ path }) => path)
const pathOf = (value: Resource['properties']): string | undefined => made.pathsById.get(targetOf(value) ?? '')

/** Where a subnet's traffic to the internet goes, if it may go there. */
const wayOutOf = (subnet: Resource): string | undefined => {
  const table = made
    .ofType('AWS::EC2::SubnetRouteTableAssociation')
    .find(({ properties }) => targetOf(properties.SubnetId) === subnet.id)?.properties.RouteTableId
  const route = made
    .ofType('AWS::EC2::Route')
    .find(({ properties }) => targetOf(properties.RouteTableId) === targetOf(table))
  return pathOf(route?.properties.NatGatewayId ?? route?.properties.GatewayId)
}

describe('a network of its own', () => {
  test('has public, private and isolated subnets, each in two zones, and one way out of the private ones', () => {
    const gateway = 'Network/Vpc/PublicSubnet1/NATGateway'
    const subnets = made.ofType('AWS::EC2::Subnet')
    const zones = subnets.map(({ properties }) => properties.AvailabilityZone['Fn::Select'][0])

    expect(subnets.map((subnet) => [subnet.path.split('/')[2], wayOutOf(subnet)])).toEqual([
      ['PublicSubnet1', 'Network/Vpc/IGW'],
      ['PublicSubnet2', 'Network/Vpc/IGW'],
      ['PrivateSubnet1', gateway],
      ['PrivateSubnet2', gateway],
      ['IsolatedSubnet1', undefined],
      ['IsolatedSubnet2', undefined],
    ])
    expect(zones).toEqual([0, 1, 0, 1, 0, 1])
    expect(subnets.filter(({ properties }) => properties.MapPublicIpOnLaunch)).toEqual([])
  })

  test('reads S3 without the NAT gateway, from the private subnets', () => {
    const { VpcEndpointType, ServiceName, RouteTableIds } = made.onlyOne('AWS::EC2::VPCEndpoint').properties

    expect([VpcEndpointType, JSON.stringify(ServiceName)]).toEqual(['Gateway', expect.stringMatching(/\.s3"/)])
    expect(RouteTableIds.map(pathOf)).toEqual([
      'Network/Vpc/PrivateSubnet1/RouteTable',
      'Network/Vpc/PrivateSubnet2/RouteTable',
    ])
  })

  test('writes down what flows, and closes its default security group', () => {
    expect(made.onlyOne('AWS::EC2::FlowLog').properties.TrafficType).toBe('ALL')
    expect(made.at('Network/FlowLog').properties.RetentionInDays).toBe(30)
    expect(made.ofType('Custom::VpcRestrictDefaultSG')).toHaveLength(1)
  })

  test('has the addresses that the stage names, and other ones in each stage', () => {
    const ranges = ['dev', 'prod'].map(
      (name) => synthesize(stageOf(name)).onlyOne('AWS::EC2::VPC').properties.CidrBlock,
    )

    expect(ranges).toEqual(['10.60.0.0/20', '10.61.0.0/20'])
  })

  test('is looked up nowhere, in no account and in a named one', () => {
    const named = synthesize({ ...prod, env: { account: '111111111111', region: 'eu-central-1' } })

    expect([made.missing, named.missing]).toEqual([undefined, undefined])
    expect(JSON.stringify(named.template)).not.toContain('dummy')
  })
})

describe('clients of the database', () => {
  test('go to HTTPS and to the database, and nowhere else', () => {
    const clients = made.at('Network/Clients')
    const further = made
      .ofType('AWS::EC2::SecurityGroupEgress')
      .filter(({ properties }) => targetOf(properties.GroupId) === clients.id)

    expect(clients.properties.SecurityGroupEgress).toMatchObject([
      { CidrIp: '0.0.0.0/0', IpProtocol: 'tcp', FromPort: 443, ToPort: 443 },
    ])
    expect(clients.properties.SecurityGroupIngress).toBeUndefined()
    expect(further.map(({ properties }) => [pathOf(properties.DestinationSecurityGroupId), properties.ToPort])).toEqual(
      [['Aurora/SecurityGroup', 5432]],
    )
  })
})

describe('a network that is there', () => {
  const network: ExistingNetwork = {
    kind: 'existing',
    vpcId: 'vpc-0a1b2c3d',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    privateSubnetIds: ['subnet-0a000001', 'subnet-0a000002'],
    isolatedSubnetIds: ['subnet-0b000001', 'subnet-0b000002'],
  }
  const found = synthesize(inExisting(network))

  test('gets two security groups, and is not looked up', () => {
    const added = found.resources.filter(({ type }) => type.startsWith('AWS::EC2::'))

    expect(found.missing).toBeUndefined()
    expect(pathsOf(added.filter(({ type }) => type === 'AWS::EC2::SecurityGroup'))).toEqual([
      'Network/Clients',
      'Aurora/SecurityGroup',
    ])
    expect(new Set(added.map(({ type }) => type))).toEqual(
      new Set(['SecurityGroup', 'SecurityGroupEgress', 'SecurityGroupIngress'].map((name) => `AWS::EC2::${name}`)),
    )
    for (const { properties } of found.ofType('AWS::EC2::SecurityGroup')) expect(properties.VpcId).toBe('vpc-0a1b2c3d')
  })

  test('holds functions and builds in its private subnets, the database in its isolated ones', () => {
    const { SubnetIds } = found.at('Ingestion/Ingest', 'AWS::Lambda::Function').properties.VpcConfig
    const { VpcId, Subnets } = found.at('Transform/Project', 'AWS::CodeBuild::Project').properties.VpcConfig

    expect([SubnetIds, VpcId, Subnets]).toEqual([
      ['subnet-0a000001', 'subnet-0a000002'],
      'vpc-0a1b2c3d',
      ['subnet-0a000001', 'subnet-0a000002'],
    ])
    expect(found.onlyOne('AWS::RDS::DBSubnetGroup').properties.SubnetIds).toEqual([
      'subnet-0b000001',
      'subnet-0b000002',
    ])
  })

  test('gets an endpoint of S3 when its route tables are named', () => {
    const tables = ['rtb-0a000001', 'rtb-0a000002']
    const withTables = synthesize(inExisting({ ...network, privateRouteTableIds: tables }))

    expect(found.ofType('AWS::EC2::VPCEndpoint')).toEqual([])
    expect(withTables.onlyOne('AWS::EC2::VPCEndpoint').properties.RouteTableIds).toEqual(tables)
  })

  test('is refused when a subnet is missing', () => {
    expect(() => synthesize(inExisting({ ...network, isolatedSubnetIds: ['subnet-0b000001'] }))).toThrow(
      'Name 2 or more zones of vpc-0a1b2c3d, and for each a private and an isolated subnet.',
    )
  })
})
