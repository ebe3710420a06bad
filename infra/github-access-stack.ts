/** What GitHub's workflows may do in an account: three roles, assumed by tokens that GitHub signs. There are no keys to lose. */
import {
  Aws,
  CfnOutput,
  DefaultStackSynthesizer,
  Duration,
  RemovalPolicy,
  Stack,
  type StackProps,
  Tags,
} from 'aws-cdk-lib'
import { OidcProviderNative, PolicyDocument, PolicyStatement, Role, WebIdentityPrincipal } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'

export interface GithubAccessProps extends StackProps {
  readonly stage: string
  /** As it stands in the subject of a token: `owner/name`, or `owner@id/name@id` where the repository has immutable subjects. */
  readonly repository: string
  /** The bucket that the stage was given. If it makes its own, what it will be called is known in part. */
  readonly landingBucketName?: string | undefined
  /** Of GitHub's provider, when the account has it already: there can be only one. It is made if not given. */
  readonly providerArn?: string | undefined
}

const ISSUER = 'token.actions.githubusercontent.com'
const AUDIENCE = 'sts.amazonaws.com'

/** IAM's least maximum. A deployment of everything from nothing takes half of it. */
const SESSION = Duration.hours(1)

/** The source of the smoke file: see `github/smoke.ts`. */
const SMOKE_SOURCE = 'orders'

export class GithubAccessStack extends Stack {
  constructor(scope: Construct, id: string, props: GithubAccessProps) {
    super(scope, id, { description: `Sluice, stage ${props.stage}: what GitHub's workflows may do`, ...props })
    const { stage } = props
    const providerArn = props.providerArn ?? this.makeProvider()

    // No trust for pull requests: their difference is computed from templates, without AWS, and their code is unreviewed.
    const plan = this.makeRole('plan', `${stage}-plan`, providerArn, props, [this.mayReadTemplate(stage)])
    const deploy = this.makeRole('deploy', stage, providerArn, props, [
      this.mayUseBootstrap(),
      ...this.mayTransform(stage),
      this.mayPutSmokeFile(props),
      ...this.mayReadStatus(stage),
    ])
    const transform = this.makeRole('transform', `${stage}-transform`, providerArn, props, this.mayTransform(stage))

    Tags.of(this).add('app', 'sluice')
    Tags.of(this).add('stage', stage)
    new CfnOutput(this, 'ProviderArn', { value: providerArn })
    new CfnOutput(this, 'PlanRoleArn', { value: plan.roleArn })
    new CfnOutput(this, 'DeployRoleArn', { value: deploy.roleArn })
    new CfnOutput(this, 'TransformRoleArn', { value: transform.roleArn })
  }

  private makeProvider(): string {
    const provider = new OidcProviderNative(this, 'Provider', { url: `https://${ISSUER}`, clientIds: [AUDIENCE] })
    // Others of the account may trust it too, and it costs nothing.
    provider.applyRemovalPolicy(RemovalPolicy.RETAIN)
    return provider.oidcProviderArn
  }

  /** A role for the jobs of one GitHub environment of one repository. Who may use the environment, GitHub's rules decide. */
  private makeRole(
    name: string,
    environment: string,
    providerArn: string,
    { stage, repository }: GithubAccessProps,
    statements: PolicyStatement[],
  ): Role {
    return new Role(this, `${name[0]?.toUpperCase()}${name.slice(1)}`, {
      // Fixed, so that the workflows need to be told nothing but the account.
      roleName: `sluice-${stage}-github-${name}`,
      description: `GitHub environment ${environment} of ${repository}`,
      assumedBy: new WebIdentityPrincipal(providerArn, {
        StringEquals: {
          [`${ISSUER}:aud`]: AUDIENCE,
          [`${ISSUER}:sub`]: `repo:${repository}:environment:${environment}`,
        },
      }),
      maxSessionDuration: SESSION,
      inlinePolicies: { [name]: new PolicyDocument({ statements }) },
    })
  }

  /**
   * What `cdk diff --method=template` asks. CDK's lookup role would do as well, and may read every object of every bucket; without
   * it CDK warns, and goes on with the credentials that it has.
   */
  private mayReadTemplate(stage: string): PolicyStatement {
    return new PolicyStatement({
      actions: ['cloudformation:DescribeStacks', 'cloudformation:GetTemplate'],
      resources: [this.arn('cloudformation', `stack/Sluice-${stage}/*`)],
    })
  }

  /** CDK's roles do the work, and CloudFormation has its own. These three are all that the CLI assumes for this app. */
  private mayUseBootstrap(): PolicyStatement {
    const prefix = `arn:${Aws.PARTITION}:iam::${this.account}:role/cdk-${DefaultStackSynthesizer.DEFAULT_QUALIFIER}`
    return new PolicyStatement({
      actions: ['sts:AssumeRole'],
      resources: ['deploy', 'file-publishing', 'lookup'].map(
        (role) => `${prefix}-${role}-role-${this.account}-${this.region}`,
      ),
    })
  }

  /** What `sluice transform` does. */
  private mayTransform(stage: string): PolicyStatement[] {
    const pipeline = `sluice-${stage}-pipeline`
    return [
      // To find the state machine by its name. AWS knows no resource for this.
      new PolicyStatement({ actions: ['states:ListStateMachines'], resources: ['*'] }),
      new PolicyStatement({
        actions: ['states:StartExecution'],
        resources: [this.arn('states', `stateMachine:${pipeline}`)],
      }),
      new PolicyStatement({
        actions: ['states:DescribeExecution'],
        resources: [this.arn('states', `execution:${pipeline}:*`)],
      }),
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [this.arn('lambda', `function:sluice-${stage}-read-ledger`)],
      }),
    ]
  }

  /** What `sluice load` does besides. */
  private mayPutSmokeFile({ stage, landingBucketName }: GithubAccessProps): PolicyStatement {
    // CloudFormation names the bucket that the stage makes: after stack and resource, with something random behind.
    const bucket = landingBucketName ?? `sluice-${stage}-landing*`
    return new PolicyStatement({
      actions: ['s3:PutObject'],
      resources: [`arn:${Aws.PARTITION}:s3:::${bucket}/input/${SMOKE_SOURCE}/*`],
      // Somebody else's bucket could have such a name.
      ...(landingBucketName === undefined && { conditions: { StringEquals: { 'aws:ResourceAccount': this.account } } }),
    })
  }

  /** What `sluice status` does besides. */
  private mayReadStatus(stage: string): PolicyStatement[] {
    return [
      new PolicyStatement({
        actions: ['states:ListExecutions'],
        resources: [this.arn('states', `stateMachine:sluice-${stage}-pipeline`)],
      }),
      new PolicyStatement({
        actions: ['sqs:GetQueueUrl', 'sqs:GetQueueAttributes'],
        resources: ['ingest', 'dead-letters'].map((queue) => this.arn('sqs', `sluice-${stage}-${queue}`)),
      }),
    ]
  }

  private arn(service: string, resource: string): string {
    return `arn:${Aws.PARTITION}:${service}:${this.region}:${this.account}:${resource}`
  }
}
