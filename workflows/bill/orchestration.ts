/** Step Functions, its schedules, and the builds in CodeBuild. */
import { z } from 'zod'
import type { Estimate } from './estimate.ts'
import { type BillLine, charge, count } from './line.ts'
import { pipelineOf } from './machine.ts'
import { prices } from './prices.ts'
import { resourcesOf } from './template.ts'
import { transitionsOf } from './traffic.ts'

const project = z.looseObject({
  Name: z.string(),
  Environment: z.looseObject({ ComputeType: z.string() }),
})

/** What AWS gives for nothing each month. */
const FREE_TRANSITIONS = 4_000
const FREE_BUILD_MINUTES = 100

const buildPrices = { BUILD_GENERAL1_SMALL: prices.buildSmall, BUILD_GENERAL1_MEDIUM: prices.buildMedium }

export function orchestrationLines({ template, traffic, assumed }: Estimate): BillLine[] {
  const routes = transitionsOf(template, traffic, assumed).map(([runs, what, states]): [number, string] => [
    runs * states,
    `${count(runs)} ${what} x ${states}`,
  ])
  const all = routes.reduce((sum, [transitions]) => sum + transitions, 0)
  const retried = all * assumed.retriedShare
  const starts = traffic.schedules.reduce((sum, { runs }) => sum + runs, 0)
  return [
    charge(
      'Step Functions: transitions',
      prices.transition,
      [...routes, [retried, `${count(retried)} retries`]],
      FREE_TRANSITIONS,
    ),
    charge('EventBridge Scheduler: starts', prices.schedule, [[starts, `${count(starts)} starts`]]),
  ]
}

export function buildLines({ template, traffic, assumed }: Estimate): BillLine[] {
  const projects = resourcesOf(template, 'AWS::CodeBuild::Project', project)
  const transform = traffic.builds * assumed.buildMinutes
  const migrate = traffic.files > 0 ? assumed.deployments * assumed.migrateMinutes : 0
  const sizes = [...new Set(projects.map(({ Environment }) => Environment.ComputeType))]
  return sizes.flatMap((size) => {
    const rate = buildPrices[size as keyof typeof buildPrices]
    const has = (name: string) =>
      projects.some((each) => each.Name.endsWith(name) && each.Environment.ComputeType === size)
    if (rate === undefined) return []
    return [
      charge(
        'CodeBuild: minutes',
        rate,
        [
          [has('-transform') ? transform : 0, `${count(traffic.builds)} transforms x ${assumed.buildMinutes}`],
          [has('-migrate') ? migrate : 0, `${assumed.deployments} migrations x ${assumed.migrateMinutes}`],
        ],
        size === 'BUILD_GENERAL1_SMALL' ? FREE_BUILD_MINUTES : 0,
      ),
    ]
  })
}

export function unpricedOrchestration({ template }: Estimate): string[] {
  const projects = resourcesOf(template, 'AWS::CodeBuild::Project', project).flatMap(({ id, Name, Environment }) => [
    ...(Environment.ComputeType in buildPrices ? [] : [`${id}: size ${Environment.ComputeType}`]),
    ...(/-(transform|migrate)$/.test(Name) ? [] : [`${id}: how often ${Name} builds is not known`]),
  ])
  const isExpress = pipelineOf(template)?.isStandard === false
  return [
    ...projects.map((what) => `AWS::CodeBuild::Project ${what}`),
    ...(isExpress ? ['AWS::StepFunctions::StateMachine: an Express workflow is paid by its time and memory'] : []),
  ]
}
