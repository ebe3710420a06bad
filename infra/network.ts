/** The private network of an AWS stage: a VPC of its own, or one that is there, and who in it may connect to the database. */
import { Annotations, RemovalPolicy } from 'aws-cdk-lib'
import {
  CfnNatGateway,
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type ISecurityGroup,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { NatInstance } from './nat-instance.ts'

/** A VPC that the stage makes. */
export interface NewNetwork {
  readonly kind: 'new'
  /** Its addresses, a /20 or larger. They must not be those of a network that it will be joined to. */
  readonly cidr: string
  /** What functions and builds reach AWS's APIs by. AWS keeps a gateway running; an instance that fails waits for a person. */
  readonly wayOut: 'nat-gateway' | 'nat-instance'
}

/** A VPC that is there. Only two security groups are added to it, and, if asked for, an endpoint of S3. */
export interface ExistingNetwork {
  readonly kind: 'existing'
  readonly vpcId: string
  /** Two or more, in the order of the subnets below. */
  readonly availabilityZones: readonly string[]
  /** One per zone, with a way out to AWS's APIs: functions and builds run there. */
  readonly privateSubnetIds: readonly string[]
  /** One per zone, without a way out: the database stands there. */
  readonly isolatedSubnetIds: readonly string[]
  /**
   * The route tables of the private subnets, one per zone, when they have no gateway endpoint of S3 yet. A second one is
   * refused by AWS; without any, every file is read through the NAT gateway, at its price.
   */
  readonly privateRouteTableIds?: readonly string[]
}

export type NetworkOptions = NewNetwork | ExistingNetwork
export type NetworkProps = NetworkOptions & { readonly logRetentionDays: number }

/** The least that Aurora takes. A third would cost nothing but addresses, and save nothing that two do not. */
const ZONES = 2

export class Network extends Construct {
  readonly vpc: IVpc
  /** Where the database stands. */
  readonly isolatedSubnets: SubnetSelection = { subnetType: SubnetType.PRIVATE_ISOLATED }
  /** Of every function and build that may connect to the database. */
  readonly clients: ISecurityGroup
  /** Of a VPC that the stage makes with one: a VPC that is there is watched by whoever made it. */
  readonly natGatewayId: string | undefined
  readonly #privateSubnets: SubnetSelection = { subnetType: SubnetType.PRIVATE_WITH_EGRESS }

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id)

    this.vpc = props.kind === 'new' ? this.#make(props) : this.#find(props)
    this.natGatewayId = this.vpc.node.findAll().find((made) => made instanceof CfnNatGateway)?.attrNatGatewayId
    // Free, and every file is read through it: through the NAT gateway a gigabyte costs $0.045.
    if (props.kind === 'new' || props.privateRouteTableIds !== undefined)
      this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3, subnets: [this.#privateSubnets] })

    const clients = new SecurityGroup(this, 'Clients', {
      vpc: this.vpc,
      description: 'Functions and builds that may connect to the database',
      allowAllOutbound: false,
    })
    clients.addEgressRule(Peer.anyIpv4(), Port.tcp(443), "AWS's APIs, and the packages of the transform")
    this.clients = clients
  }

  /** Where functions run that connect to the database. */
  get placementOfFunctions() {
    return { vpc: this.vpc, vpcSubnets: this.#privateSubnets, securityGroups: [this.clients] }
  }

  /** The same in CodeBuild's words. */
  get placementOfBuilds() {
    return { vpc: this.vpc, subnetSelection: this.#privateSubnets, securityGroups: [this.clients] }
  }

  #make({ cidr, wayOut, logRetentionDays }: NewNetwork & { readonly logRetentionDays: number }): IVpc {
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(cidr),
      maxAzs: ZONES,
      // When its zone fails, files wait, after 83 minutes as dead letters, which are kept for 14 days: a second one would cost
      // $36.50 a month for no file saved.
      natGateways: 1,
      ...(wayOut === 'nat-instance' && { natGatewayProvider: new NatInstance(cidr) }),
      subnetConfiguration: [
        // The way out and nothing else: the least that AWS takes.
        { name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false },
        // An address for each build, and a few that all functions share.
        { name: 'Private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 24 },
        // An address for each instance of the cluster.
        { name: 'Isolated', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 27 },
      ],
    })
    const log = new LogGroup(this, 'FlowLog', {
      retention: logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    vpc.addFlowLog('Flows', { destination: FlowLogDestination.toCloudWatchLogs(log) })
    // As its users want it: with exactOptionalPropertyTypes a Vpc is no IVpc.
    return vpc as IVpc
  }

  #find(props: ExistingNetwork): IVpc {
    const { vpcId, availabilityZones, privateSubnetIds, isolatedSubnetIds, privateRouteTableIds } = props
    const zones = availabilityZones.length
    if (zones < ZONES || privateSubnetIds.length !== zones || isolatedSubnetIds.length !== zones)
      throw new Error(`Name ${ZONES} or more zones of ${vpcId}, and for each a private and an isolated subnet.`)
    const vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId,
      availabilityZones: [...availabilityZones],
      privateSubnetIds: [...privateSubnetIds],
      isolatedSubnetIds: [...isolatedSubnetIds],
      ...(privateRouteTableIds && { privateSubnetRouteTableIds: [...privateRouteTableIds] }),
    })
    Annotations.of(vpc).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId', 'Only the endpoint asks for them.')
    return vpc
  }
}
