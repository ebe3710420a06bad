/** A small instance in the place of a NAT gateway: a fifth of its price, and nobody's to replace when it fails. */
import { Duration } from 'aws-cdk-lib'
import {
  BlockDeviceVolume,
  type ConfigureNatOptions,
  CpuCredits,
  EbsDeviceVolumeType,
  type GatewayConfig,
  HttpTokens,
  Instance,
  InstanceType,
  type IVpc,
  MachineImage,
  NatProvider,
  Peer,
  Port,
  type PrivateSubnet,
  RouterType,
  SecurityGroup,
  UserData,
} from 'aws-cdk-lib/aws-ec2'

/** The smallest there is: $3.07 a month. What goes through are calls of APIs and a build now and then. */
const INSTANCE_TYPE = 't4g.nano'

/** AWS's newest, which CloudFormation looks up: the first deployment after a new one replaces the instance, patches and all. */
const IMAGE = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64'

/** As large as the image, $0.64 a month: EC2 takes no less. */
const ROOT_GIBIBYTES = 8

/** It takes a minute. Later than this the deployment fails, and is taken back. */
const READY_WITHIN = Duration.minutes(10)

/**
 * CDK's own (`NatProvider.instanceV2`) is not used: it installs iptables once, which fails now and then
 * (https://github.com/aws/aws-cdk/issues/36717), and nobody learns of it. This one tries again, and the deployment waits for it.
 */
export class NatInstance extends NatProvider {
  readonly #instances: Instance[] = []
  readonly #cidr: string

  /** @param cidr of the network, which may go out by it */
  constructor(cidr: string) {
    super()
    this.#cidr = cidr
  }

  override get configuredGateways(): GatewayConfig[] {
    return this.#instances.map(({ instanceAvailabilityZone: az, instanceId: gatewayId }) => ({ az, gatewayId }))
  }

  override configureNat({ natSubnets, privateSubnets, ...options }: ConfigureNatOptions): void {
    // As its users want it: with exactOptionalPropertyTypes a Vpc is no IVpc.
    const vpc = options.vpc as IVpc
    const securityGroup = new SecurityGroup(vpc, 'NatSecurityGroup', {
      vpc,
      description: 'What goes out of the private subnets by the NAT instance',
      allowAllOutbound: false,
    })
    securityGroup.addIngressRule(Peer.ipv4(this.#cidr), Port.tcp(443), 'On its way out')
    securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'The same, and what the instance installs')
    for (const subnet of natSubnets) {
      const userData = UserData.forLinux()
      const instance = new Instance(subnet, 'NatInstance', {
        vpc,
        vpcSubnets: { subnets: [subnet] },
        securityGroup,
        instanceType: new InstanceType(INSTANCE_TYPE),
        machineImage: MachineImage.fromSsmParameter(IMAGE),
        userData,
        // It runs once. A change of it is for a new instance.
        userDataCausesReplacement: true,
        resourceSignalTimeout: READY_WITHIN,
        sourceDestCheck: false,
        associatePublicIpAddress: true,
        // Slower when its credits are used up. Otherwise more of them would be bought.
        creditSpecification: CpuCredits.STANDARD,
        blockDevices: [
          {
            deviceName: '/dev/xvda',
            volume: BlockDeviceVolume.ebs(ROOT_GIBIBYTES, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }),
          },
        ],
        propagateTagsToVolumeOnCreation: true,
        httpTokens: HttpTokens.REQUIRED,
        // Nothing behind it may ask for its metadata.
        httpPutResponseHopLimit: 1,
      })
      userData.addSignalOnExitCommand(instance)
      userData.addCommands(...setUp(this.#cidr))
      this.#instances.push(instance)
    }
    for (const subnet of privateSubnets) this.configureSubnet(subnet)
  }

  override configureSubnet(subnet: PrivateSubnet): void {
    const [instance] = this.#instances
    if (instance === undefined) throw new Error('No public subnet has a NAT instance.')
    subnet.addRoute('DefaultRoute', {
      routerType: RouterType.INSTANCE,
      routerId: instance.instanceId,
      enablesInternetConnectivity: true,
    })
  }
}

/** The first command that fails ends it, and with it the deployment. Rules and forwarding outlast a restart. */
const setUp = (inside: string): string[] => [
  'set -euo pipefail',
  // Until it is restarted: dnf is killed now and then for want of memory, of which there is half a gibibyte.
  'dd if=/dev/zero of=/swap bs=1M count=1024 status=none',
  'chmod 600 /swap',
  'mkswap /swap',
  'swapon /swap',
  'until dnf install -y iptables-services; do sleep 5; done',
  'echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-nat.conf',
  'sysctl -p /etc/sysctl.d/90-nat.conf',
  // Of a filter there is none: the security group is one.
  'cat > /etc/sysconfig/iptables <<RULES',
  '*nat',
  `-A POSTROUTING -s ${inside} ! -d ${inside} -j MASQUERADE`,
  'COMMIT',
  'RULES',
  'systemctl enable --now iptables',
]
