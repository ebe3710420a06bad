/** What the guardrails tell of a stack, with its numbers changed as somebody would who edits a stage or a construct. */
import { rmSync } from 'node:fs'
import { App, CfnResource } from 'aws-cdk-lib'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import type { IConstruct } from 'constructs'
import { afterAll } from 'vitest'
import cdk from '../../cdk.json' with { type: 'json' }
import type { AuroraOptions } from '../../infra/aurora.ts'
import { PipelineStack, type PipelineStackProps } from '../../infra/pipeline-stack.ts'
import { stageOf } from './synthesized.ts'

const folders: string[] = []
// CDK clears them only at an exit that a test worker does not come to.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A stack that is made and not synthesized: that is what would fail. */
export function make(props: PipelineStackProps): { app: App; stack: PipelineStack } {
  // An empty list bundles no function: no rule looks at their code.
  const app = new App({ context: { ...cdk.context, 'aws:cdk:bundling-stacks': [] } })
  folders.push(app.outdir)
  return { app, stack: new PipelineStack(app, `Sluice-${props.stage}`, props) }
}

/** What is told of `prod` with some settings changed, and then edited. */
export function told(changed: Partial<PipelineStackProps>, edit: (stack: PipelineStack) => void = () => {}): string[] {
  const { stack } = make({ ...stageOf('prod'), ...changed })
  edit(stack)
  return stack.node.validate()
}

/** By escape hatch, e.g. `override('Landing/Queue', 'VisibilityTimeout', 300)`. */
export const override = (path: string, property: string, value: unknown) => (stack: PipelineStack) => {
  const made = path.split('/').reduce<IConstruct>((parent, id) => parent.node.findChild(id), stack)
  const resource = CfnResource.isCfnResource(made) ? made : made.node.defaultChild
  if (!CfnResource.isCfnResource(resource)) throw new Error(`No resource at ${path}`)
  resource.addPropertyOverride(property, value)
}

/** The bucket where files land, as `landing.ts` would have it in hand. */
export function landingBucketOf(stack: PipelineStack): Bucket {
  const bucket = stack.node.findChild('Landing').node.findChild('Bucket')
  if (!(bucket instanceof Bucket)) throw new Error('Landing/Bucket is not a bucket of ours')
  return bucket
}

/** A stage's settings for AWS with those of its cluster changed. */
export function withAurora(changed: Partial<AuroraOptions>): Pick<PipelineStackProps, 'aws'> {
  const { aws } = stageOf('prod')
  if (aws === undefined) throw new Error('Stage prod is not on AWS')
  return { aws: { ...aws, aurora: { ...aws.aurora, ...changed } } }
}
