/** The plan of a stage for a load: how it would do, what it needs, what must change, and what it then costs. */
import { estimateBill } from '../bill/bill.ts'
import type { Template } from '../bill/template.ts'
import { type Change, type Compared, findChanges } from './changes.ts'
import { PROPOSED_CLASSES } from './instance-classes.ts'
import { findNeeds, type Needs } from './needs.ts'
import { type CapacityLoad, runStage } from './run-stage.ts'
import { readStageSettings } from './stage-settings.ts'
import { lambdaQuotaOf, measureStorage } from './storage-and-quotas.ts'

export interface Plan extends Compared {
  readonly changes: readonly Change[]
  /** Of all stages together, after the changes. */
  readonly dollarsPerMonth: number
}

export function planCapacity(template: Template, load: CapacityLoad): Plan {
  const configured = readStageSettings(template)
  const needs = findNeeds(configured, load)
  const compared = {
    ...{ load, configured, needs },
    asConfigured: runStage(configured, load),
    storage: measureStorage(load, needs),
    lambdaQuota: lambdaQuotaOf(configured, needs),
  }
  return { ...compared, changes: findChanges(compared), dollarsPerMonth: estimateCost(template, load, needs) }
}

function estimateCost(template: Template, load: CapacityLoad, needs: Needs): number {
  const filesPerDay = load.filesPerDay / needs.stages
  const filesPerBatch = needs.simulated.batches.mean
  const bill = estimateBill(withInstances(template, needs), { filesPerDay, kilobytes: load.kilobytes, filesPerBatch })
  return needs.stages * bill.dollarsPerMonth
}

/**
 * The template with other instances. Prices are known of the smallest class of a family, and AWS asks for each class what it asks
 * for as many of those: so many stand in for it here.
 */
function withInstances(template: Template, { settings: { instanceType } }: Needs): Template {
  const smallest = PROPOSED_CLASSES.find(({ name }) => name === 'r8g.large')
  const wanted = PROPOSED_CLASSES.find(({ name }) => name === instanceType)
  const isLarge = smallest !== undefined && wanted !== undefined && instanceType.startsWith('r8g.')
  const copies = isLarge ? wanted.vcpus / smallest.vcpus : 1
  const DBInstanceClass = `db.${isLarge ? smallest.name : instanceType}`
  const resources = Object.entries(template.Resources).flatMap(([id, resource]) =>
    resource.Type === 'AWS::RDS::DBInstance'
      ? Array.from({ length: copies }, (_, copy) => [
          copy === 0 ? id : `${id}Copy${copy}`,
          { ...resource, Properties: { ...resource.Properties, DBInstanceClass } },
        ])
      : [[id, resource]],
  )
  return { ...template, Resources: Object.fromEntries(resources) }
}
