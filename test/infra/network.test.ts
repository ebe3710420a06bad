import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import type { ExistingNetwork } from '../../infra/network.ts'
import type { PipelineStackProps } from '../../infra/pipeline-stack.ts'
import { type Resource, stageOf, synthesize, targetOf } from './synthesized.ts'

const prod = stageOf('prod')
if (prod.aws === undefined) throw new Error('Stage prod is on AWS')
const { aurora } = prod.aws
const inExisting = (network: ExistingNetwork): PipelineStackProps => ({ ...prod, aws: { network, aurora } })

const made = synthesize(prod)
const dev = synthesize(stageOf('dev'))
const pathsOf = (resources: readonly Resource[]): string[] => resources.map(({ path }) => path)
const pathOf = (value: Resource['properties']): string | undefined => made.pathsById.get(targetOf(value) ?? '')

/** Where a subnet's traffic to the internet goes, if it may go there. */
const wayOutOf = ({ ofType, pathsById }: typeof made, subnet: Resource): string | undefined => {
  const table = ofType('AWS::EC2::SubnetRouteTableAssociation').find(
    ({ properties }) => targetOf(properties.SubnetId) === subnet.id,
  )?.properties.RouteTableId
  const route = ofType('AWS::EC2::Route').find(
    ({ properties }) => targetOf(properties.RouteTableId) === targetOf(table),
  )
  const { NatGatewayId, InstanceId, GatewayId } = route?.properties ?? {}
  return pathsById.get(targetOf(NatGatewayId ?? InstanceId ?? GatewayId) ?? '')
}

describe('a network of its own', () => {
  test.each([
    ['prod', made, 'Network/Vpc/PublicSubnet1/NATGateway'],
    ['dev', dev, 'Network/Vpc/PublicSubnet1/NatInstance'],
  ])(
    'has public, private and isolated subnets, each in two zones, and one way out of the private ones: %s',
    (_, of, wayOut) => {
      const subnets = of.ofType('AWS::EC2::Subnet')
      const zones = subnets.map(({ properties }) => properties.AvailabilityZone['Fn::Select'][0])

      expect(subnets.map((subnet) => [subnet.path.split('/')[2], wayOutOf(of, subnet)])).toEqual([
        ['PublicSubnet1', 'Network/Vpc/IGW'],
        ['PublicSubnet2', 'Network/Vpc/IGW'],
        ['PrivateSubnet1', wayOut],
        ['PrivateSubnet2', wayOut],
        ['IsolatedSubnet1', undefined],
        ['IsolatedSubnet2', undefined],
      ])
      expect(zones).toEqual([0, 1, 0, 1, 0, 1])
      expect(subnets.filter(({ properties }) => properties.MapPublicIpOnLaunch)).toEqual([])
    },
  )

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
    const ranges = [dev, made].map(({ onlyOne }) => onlyOne('AWS::EC2::VPC').properties.CidrBlock)

    expect(ranges).toEqual(['10.60.0.0/20', '10.61.0.0/20'])
  })

  test('is looked up nowhere, in no account and in a named one', () => {
    const named = synthesize({ ...prod, env: { account: '111111111111', region: 'eu-central-1' } })

    expect([made.missing, named.missing]).toEqual([undefined, undefined])
    expect(JSON.stringify(named.template)).not.toContain('dummy')
  })
})

describe('a NAT instance', () => {
  const instance = dev.onlyOne('AWS::EC2::Instance')
  const { properties } = instance

  test('is the smallest there is, paid for by the hour alone, and in the place of a gateway with its address', () => {
    expect(properties).toMatchObject({ InstanceType: 't4g.nano', CreditSpecification: { CPUCredits: 'standard' } })
    expect(properties.Monitoring).toBeUndefined()
    expect([...dev.ofType('AWS::EC2::NatGateway'), ...dev.ofType('AWS::EC2::EIP')]).toEqual([])
    expect(made.ofType('AWS::EC2::Instance')).toEqual([])
  })

  test('forwards what is not for it, from an address of its own', () => {
    expect(properties.SourceDestCheck).toBe(false)
    expect(properties.NetworkInterfaces).toMatchObject([{ AssociatePublicIpAddress: true }])
  })

  test('lets HTTPS in from its network, and out, and nothing else', () => {
    const group = dev.at('Network/Vpc/NatSecurityGroup')
    const further = [...dev.ofType('AWS::EC2::SecurityGroupIngress'), ...dev.ofType('AWS::EC2::SecurityGroupEgress')]
    const https = { IpProtocol: 'tcp', FromPort: 443, ToPort: 443 }

    expect(properties.NetworkInterfaces[0].GroupSet.map(targetOf)).toEqual([group.id])
    expect(group.properties.SecurityGroupIngress).toMatchObject([{ ...https, CidrIp: '10.60.0.0/20' }])
    expect(group.properties.SecurityGroupEgress).toMatchObject([{ ...https, CidrIp: '0.0.0.0/0' }])
    expect(further.filter(({ properties: { GroupId } }) => targetOf(GroupId) === group.id)).toEqual([])
  })

  test('can be logged in to by nobody, may do nothing, and tells its metadata to itself alone', () => {
    const role = dev.at('Network/Vpc/PublicSubnet1/NatInstance/InstanceRole')
    const policies = dev
      .ofType('AWS::IAM::Policy')
      .filter(({ properties: { Roles } }) => Roles?.map(targetOf).includes(role.id))

    expect(properties.KeyName).toBeUndefined()
    expect([role.properties.ManagedPolicyArns, role.properties.Policies, policies]).toEqual([undefined, undefined, []])
    expect(properties.MetadataOptions).toEqual({ HttpTokens: 'required', HttpPutResponseHopLimit: 1 })
  })

  test('has one volume, which is encrypted, tagged and gone with it', () => {
    expect(properties.BlockDeviceMappings).toEqual([
      { DeviceName: '/dev/xvda', Ebs: { Encrypted: true, VolumeSize: 8, VolumeType: 'gp3' } },
    ])
    expect(properties.PropagateTagsToVolumeOnCreation).toBe(true)
  })

  test("is of AWS's newest image, which CloudFormation finds", () => {
    expect(dev.template.Parameters[properties.ImageId.Ref]).toEqual({
      Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
      Default: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64',
    })
    expect(dev.missing).toBeUndefined()
  })

  test('is set up when the deployment goes on, or the deployment fails', () => {
    const [before, , after] = properties.UserData['Fn::Base64']['Fn::Join'][1]
    const script: string = `${before}us-east-1${after}`

    expect(instance.definition.CreationPolicy).toEqual({ ResourceSignal: { Timeout: 'PT10M' } })
    expect(script).toContain(`cfn-signal --stack Sluice-dev --resource ${instance.id} --region us-east-1 -e $exitCode`)
    // In this order: the signal is sent whatever fails, and whatever fails ends it.
    const places = ['trap exitTrap EXIT', 'set -euo pipefail', 'until dnf install', 'systemctl enable --now iptables']
    expect(places.map((place) => script.indexOf(place)).toSorted((a, b) => a - b)).toEqual(
      places.map((place) => script.indexOf(place)),
    )
    expect(script).toContain('\n-A POSTROUTING -s 10.60.0.0/20 ! -d 10.60.0.0/20 -j MASQUERADE\n')
    expect(() => execFileSync('bash', ['-n'], { input: script })).not.toThrow()
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
