/** A Lambda function of Sluice: TypeScript from `handlers/<name>/handler.ts`, bundled with all it needs. */
import { join } from 'node:path'
import { type Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda'
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { Network } from './network.ts'

const root = join(import.meta.dirname, '..')

/** Of all metrics that the functions make themselves; `service` is the function's name (see handlers/metrics.ts). */
export const METRICS_NAMESPACE = 'Sluice'

export interface SluiceFunctionProps {
  readonly stage: string
  /** Folder under `handlers/`, e.g. `quarantine-files`. */
  readonly folder: string
  readonly description: string
  readonly timeout: Duration
  readonly memoryMegabytes: number
  readonly environment: Readonly<Record<string, string>>
  readonly logRetentionDays: number
  /** Of those that connect to the database: in stage `local`, whose functions are processes of one machine, there is none. */
  readonly network?: Network | undefined
  readonly reservedConcurrency?: number
  /** Whether it is reserved, and not only meant: not where the account has none to give. */
  readonly reservesConcurrency?: boolean
}

export class SluiceFunction extends NodejsFunction {
  /** What its log lines and metrics are told by: its name. */
  readonly serviceName: string

  constructor(scope: Construct, id: string, props: SluiceFunctionProps) {
    const functionName = `sluice-${props.stage}-${props.folder}`
    super(scope, id, {
      functionName,
      description: props.description,
      entry: join(root, 'handlers', props.folder, 'handler.ts'),
      projectRoot: root,
      depsLockFilePath: join(root, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: props.timeout,
      memorySize: props.memoryMegabytes,
      ...(props.reservesConcurrency &&
        props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
      ...props.network?.placementOfFunctions,
      environment: {
        POWERTOOLS_SERVICE_NAME: functionName,
        POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
        ...props.environment,
      },
      logGroup: new LogGroup(scope, `${id}Log`, {
        logGroupName: `/aws/lambda/${functionName}`,
        retention: props.logRetentionDays as RetentionDays,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        mainFields: ['module', 'main'],
        minify: true,
        // The runtime's own SDK is an older version that changes without notice.
        bundleAwsSDK: true,
        // pg is CommonJS and calls require for Node's own modules, which ESM does not have.
        banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
      },
    })
    this.serviceName = functionName
  }
}
