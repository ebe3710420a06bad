/** The database of an AWS stage: an Aurora PostgreSQL cluster that nothing reaches but who is admitted here. */
import type { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type { IMetric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch'
import { InstanceType, type IPeer, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import type { RetentionDays } from 'aws-cdk-lib/aws-logs'
import {
  AuroraPostgresEngineVersion,
  CaCertificate,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine,
  DatabaseInsightsMode,
  EngineLifecycleSupport,
  type IClusterInstance,
  PerformanceInsightRetention,
} from 'aws-cdk-lib/aws-rds'
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import type { DatabaseServer } from './database.ts'
import type { Network } from './network.ts'

/** A size that is always there, and paid by the hour. */
export interface ProvisionedCompute {
  readonly kind: 'provisioned'
  /** E.g. `t4g.medium`. */
  readonly instanceType: string
}

/** A size that follows the load, and is paid by what is used. A unit is about 2 GiB of memory, $0.12 an hour. */
export interface ServerlessCompute {
  readonly kind: 'serverless'
  /** 0 lets the cluster pause when nobody is connected. What comes first then waits for about 15 s. */
  readonly minUnits: number
  readonly maxUnits: number
  /** Idle time before a pause, 5 minutes to a day. Only with `minUnits: 0`. */
  readonly pauseAfter?: Duration
}

export interface AuroraOptions {
  readonly compute: ProvisionedCompute | ServerlessCompute
  /** A second instance: it answers at the reader endpoint, and takes over in half a minute when the first one fails. */
  readonly hasReader: boolean
  /** How far back the cluster can be restored to any second. */
  readonly backupRetention: Duration
  /** What becomes of the cluster when it leaves the template. */
  readonly removalPolicy: RemovalPolicy
  readonly deletionProtection: boolean
  /**
   * Analysts' way in: a VPN, a BI tool. Ranges of addresses (10.8.0.0/22), security groups (sg-...) and prefix lists (pl-...).
   *
   * It is a way to the whole cluster. Aurora's security groups belong to the cluster, an instance or a custom endpoint
   * cannot have others: whoever reaches the reader endpoint reaches the writer's too. That they only read is the doing of the
   * role `reader`, whose password is all that they are given.
   */
  readonly admitted: readonly string[]
}

export interface AuroraProps extends AuroraOptions {
  readonly network: Network
  readonly logRetentionDays: number
}

/** The minor version with long-term support: AWS mends it for three years, and nothing moves until this line does. */
const VERSION = AuroraPostgresEngineVersion.VER_17_7
const PORT = 5432

export class Aurora extends Construct implements DatabaseServer {
  readonly host: string
  readonly port = String(PORT)
  readonly databaseName = 'sluice'
  readonly adminSecret: ISecret
  readonly sslMode = 'verify-full'
  /** Where analysts connect. Without a reader it is the writer that answers. */
  readonly readerHost: string
  readonly #cluster: DatabaseCluster

  constructor(scope: Construct, id: string, props: AuroraProps) {
    super(scope, id)

    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: props.network.vpc,
      description: 'The database: who may connect to it',
      // A database that calls nobody needs no way out.
      allowAllOutbound: false,
    })
    securityGroup.connections.allowFrom(props.network.clients, Port.tcp(PORT), 'Functions and builds')
    for (const admitted of props.admitted)
      securityGroup.addIngressRule(peerOf(admitted), Port.tcp(PORT), 'Admitted by the stage, to read')

    const cluster = new DatabaseCluster(this, 'Cluster', {
      engine: DatabaseClusterEngine.auroraPostgres({ version: VERSION }),
      // When a version is no longer mended for free AWS upgrades it, instead of billing $0.10 per vCPU and hour.
      engineLifecycleSupport: EngineLifecycleSupport.OPEN_SOURCE_RDS_EXTENDED_SUPPORT_DISABLED,
      autoMinorVersionUpgrade: false,
      defaultDatabaseName: this.databaseName,
      credentials: Credentials.fromGeneratedSecret('sluice_admin'),
      iamAuthentication: false,
      port: PORT,
      vpc: props.network.vpc,
      vpcSubnets: props.network.isolatedSubnets,
      securityGroups: [securityGroup],
      ...instancesOf(props),
      storageEncrypted: true,
      backup: { retention: props.backupRetention },
      copyTagsToSnapshot: true,
      deletionProtection: props.deletionProtection,
      removalPolicy: props.removalPolicy,
      parameters: {
        'rds.force_ssl': '1',
        // Details and statements quote what is in files, and logs must not.
        log_error_verbosity: 'terse',
        log_min_error_statement: 'panic',
      },
      cloudwatchLogsExports: ['postgresql'],
      cloudwatchLogsRetention: props.logRetentionDays as RetentionDays,
      // A week of what waited for what: the part of it that is free.
      databaseInsightsMode: DatabaseInsightsMode.STANDARD,
      enablePerformanceInsights: true,
      performanceInsightRetention: PerformanceInsightRetention.DEFAULT,
    })
    this.#cluster = cluster
    if (cluster.secret === undefined) throw new Error('A cluster with generated credentials has a secret.')
    this.host = cluster.clusterEndpoint.hostname
    this.readerHost = cluster.clusterReadEndpoint.hostname
    this.adminSecret = cluster.secret
  }

  /** A metric of whichever instance is the writer: after a failure it is another. */
  writerMetric(name: string, options: MetricOptions): IMetric {
    const { clusterIdentifier } = this.#cluster
    return this.#cluster.metric(name, {
      dimensionsMap: { DBClusterIdentifier: clusterIdentifier, Role: 'WRITER' },
      ...options,
    })
  }

  /** Bytes that the cluster holds, in all its tables and indexes. */
  volumeBytes(options: MetricOptions): IMetric {
    return this.#cluster.metricVolumeBytesUsed(options)
  }
}

function instancesOf({ compute, hasReader }: AuroraProps): {
  writer: IClusterInstance
  readers: IClusterInstance[]
  serverlessV2MinCapacity?: number
  serverlessV2MaxCapacity?: number
  serverlessV2AutoPauseDuration?: Duration
} {
  const common = {
    caCertificate: CaCertificate.RDS_CA_RSA2048_G1,
    autoMinorVersionUpgrade: false,
    publiclyAccessible: false,
    enablePerformanceInsights: true,
  }
  if (compute.kind === 'provisioned') {
    const sized = { ...common, instanceType: new InstanceType(compute.instanceType) }
    return {
      writer: ClusterInstance.provisioned('Writer', sized),
      readers: hasReader ? [ClusterInstance.provisioned('Reader', sized)] : [],
    }
  }
  return {
    writer: ClusterInstance.serverlessV2('Writer', common),
    // As large as the writer, or it could not take over from it.
    readers: hasReader ? [ClusterInstance.serverlessV2('Reader', { ...common, scaleWithWriter: true })] : [],
    serverlessV2MinCapacity: compute.minUnits,
    serverlessV2MaxCapacity: compute.maxUnits,
    ...(compute.pauseAfter && { serverlessV2AutoPauseDuration: compute.pauseAfter }),
  }
}

function peerOf(admitted: string): IPeer {
  if (admitted.startsWith('sg-')) return Peer.securityGroupId(admitted)
  if (admitted.startsWith('pl-')) return Peer.prefixList(admitted)
  return Peer.ipv4(admitted)
}
