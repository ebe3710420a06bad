/** What cdk-nag finds in the constructs, held against the reasons in acknowledged.ts. */
import { CfnElement, type IPolicyValidationContext, type IPolicyValidationPlugin, Stack } from 'aws-cdk-lib'
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag'
import type { IConstruct } from 'constructs'
import { type Acknowledgement, acknowledged } from './acknowledged.ts'

export interface Finding {
  /** E.g. `AwsSolutions-IAM5`. */
  readonly rule: string
  /** What of the resource, where a rule looks at parts: `Action::s3:List*`, `Resource::<Landing/Bucket.Arn>/*`. */
  readonly detail?: string
  /** Name of the stack, e.g. `Sluice-local`. */
  readonly stack: string
  /** Of the resource within the stack, e.g. `Landing/Bucket/Resource`. */
  readonly path: string
  readonly description: string
}

/** Everything that the packs find in the constructs below `root`. */
export function findingsIn(root: IConstruct): Finding[] {
  const elements = root.node.findAll().filter(CfnElement.isCfnElement)
  const byPath = new Map(elements.map((element) => [element.node.path, element]))
  const pathsById = pathsByIdIn(root)

  return [new AwsSolutionsChecks(), new ServerlessChecks()]
    .flatMap((pack) => pack.validateScope(root).violations)
    .flatMap(({ ruleName, description, violatingResources }) => {
      const [, rule = ruleName, detail] = /^([^[]*)\[(.*)\]$/.exec(ruleName) ?? []
      return violatingResources.flatMap(({ constructPath = '' }) => {
        const element = byPath.get(constructPath)
        if (element === undefined) throw new Error(`${ruleName} is found at '${constructPath}', where there is nothing`)
        const stack = Stack.of(element)
        // Ids hold hashes and say less than the path, and the rest differs from stage to stage.
        const readable = detail
          ?.replaceAll(/<(\w+)/g, (all, id) => {
            const path = pathsById.get(`${stack.stackName}/${id}`)
            return path === undefined ? all : `<${path.replace(/\/Resource$/, '')}`
          })
          .replace(/(?<=::arn:)(aws|<AWS::Partition>)(?=:)/, '<partition>')
          .replace(/:<AWS::Region>:/, ':<region>:')
          .replace(/:<AWS::AccountId>:/, ':<account>:')
          .replace(`:${stack.region}:`, ':<region>:')
          .replace(`:${stack.account}:`, ':<account>:')
          .replaceAll(new RegExp(`(sluice-|Sluice-)${stageOf(stack)}(?=[-/])`, 'g'), '$1<stage>')
        return {
          ...{ rule, stack: stack.stackName, path: within(element), description },
          ...(readable !== undefined && { detail: readable }),
        }
      })
    })
}

/** The path within its stack of each element of a template, by `<name of the stack>/<logical id>`. */
export function pathsByIdIn(root: IConstruct): Map<string, string> {
  const elements = root.node.findAll().filter(CfnElement.isCfnElement)
  return new Map(
    elements.map((element) => {
      const stack = Stack.of(element)
      return [`${stack.stackName}/${stack.resolve(element.logicalId)}`, within(element)]
    }),
  )
}

/** What no reason covers. */
export function unexplained(findings: readonly Finding[], reasons = acknowledged): Finding[] {
  return findings.filter((finding) => !reasons.some((reason) => partsOf(reason).some((part) => covers(part, finding))))
}

/** What is acknowledged and was not found, part by part: a reason that stays when its cause is gone would cover what comes later. */
export function stale(findings: readonly Finding[], reasons = acknowledged): string[] {
  return reasons.flatMap((reason) => {
    const parts = partsOf(reason)
    /** The values of a field of which no part covers a finding. */
    const idle = (field: keyof Part): string[] => {
      const values = [...new Set(parts.map((part) => part[field]).filter((value) => value !== undefined))]
      return values.filter(
        (value) => !parts.some((part) => part[field] === value && findings.some((finding) => covers(part, finding))),
      )
    }
    const rules = idle('rule')
    if (rules.length === reason.rules.length) return rules
    const places = [...idle('stack'), ...idle('at'), ...idle('detail')]
    return [...rules, ...places.map((place) => `${reason.rules.join(', ')}: ${place || 'the whole stack'}`)]
  })
}

/** The packs as a plugin: a synthesis with a finding that nobody gave a reason for fails, and nothing of it is deployed. */
export class Compliance implements IPolicyValidationPlugin {
  readonly name = 'cdk-nag'

  validate({ appConstruct }: IPolicyValidationContext): ReturnType<IPolicyValidationPlugin['validate']> {
    const violations = unexplained(findingsIn(appConstruct)).map(({ rule, detail, stack, path, description }) => ({
      ruleName: detail === undefined ? rule : `${rule}[${detail}]`,
      description,
      fix: 'Mend it, or say in infra/checks/acknowledged.ts why it is meant to be so.',
      violatingResources: [{ constructPath: `${stack}/${path}`, locations: [] }],
    }))
    return { success: violations.length === 0, violations }
  }
}

/** One of the combinations that an acknowledgement stands for. */
interface Part {
  readonly rule: string
  readonly stack: string | undefined
  readonly at: string
  readonly detail: string | undefined
}

function partsOf({ rules, stacks = [], at, details = [] }: Acknowledgement): Part[] {
  const orNone = (given: readonly string[]) => (given.length > 0 ? given : [undefined])
  return rules.flatMap((rule) =>
    orNone(stacks).flatMap((stack) =>
      at.flatMap((place) => orNone(details).map((detail) => ({ rule, stack, at: place, detail }))),
    ),
  )
}

function covers({ rule, stack, at, detail }: Part, finding: Finding): boolean {
  return (
    rule === finding.rule &&
    (stack === undefined || stack === finding.stack) &&
    (at === '' || finding.path === at || finding.path.startsWith(`${at}/`)) &&
    // A rule that looks at parts finds many things, some of which nobody thought of.
    detail === finding.detail
  )
}

/** Every stack is named `Sluice-<stage>`, with what it is for after it unless it is the pipeline. */
function stageOf(stack: Stack): string {
  return stack.stackName.split('-')[1] ?? ''
}

function within(element: CfnElement): string {
  return element.node.path.slice(Stack.of(element).node.path.length + 1)
}
