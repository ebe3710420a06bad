/**
 * The CDK app of GitHub's access, deployed once by hand: the workflows could not deploy what lets them in.
 * `npm run deploy:access -- -c stage=<name> -c repository=<owner>/<name>`, see docs/deploy.md.
 */
import { App, Validations } from 'aws-cdk-lib'
import { stagesOf } from './app.ts'
import { Compliance } from './checks/findings.ts'
import { GithubAccessStack } from './github-access-stack.ts'

const app = new App()

function fromContext(name: string, form: RegExp, hint: string): string | undefined {
  const value: unknown = app.node.tryGetContext(name)
  if (value === undefined) return undefined
  // Also against wildcards: what stands here decides who gets in.
  if (typeof value === 'string' && form.test(value)) return value
  throw new Error(`-c ${name}=${value} is not ${hint}.`)
}

const repository = fromContext(
  'repository',
  /^[\w.-]+(@\d+)?\/[\w.-]+(@\d+)?$/,
  '<owner>/<name> or <owner>@<id>/<name>@<id>',
)
const providerArn = fromContext(
  'providerArn',
  /^arn:[\w-]+:iam::\d{12}:oidc-provider\/token\.actions\.githubusercontent\.com$/,
  "the ARN of GitHub's provider",
)
const name = String(app.node.tryGetContext('stage') ?? '')
const stages = stagesOf(app)
const names = Object.keys(stages).filter((each) => each !== 'local')
const stage = stages[name]
if (repository === undefined || stage === undefined || name === 'local') {
  throw new Error(`Say who and where: -c repository=<owner>/<name> -c stage=<name>. Stages: ${names.join(', ')}.`)
}

new GithubAccessStack(app, `Sluice-${name}-github`, {
  ...(stage.env && { env: stage.env }),
  ...{ stage: name, repository, providerArn, landingBucketName: stage.landingBucketName },
})
Validations.of(app).addPlugins(new Compliance())
