import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sources } from '../../handlers/sources/registry.ts'
import { stageOf, stages, synthesize, targetOf } from './synthesized.ts'

const prod = synthesize(stageOf('prod'))
const alarms = prod.ofType('AWS::CloudWatch::Alarm')
const runbook = readFileSync(join(import.meta.dirname, '../../infra/runbook.md'), 'utf8')
const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading)

/** The place of the runbook that an alarm's text names. */
const headingOf = ({ properties }: (typeof alarms)[number]): string =>
  /#([a-z-]+)$/.exec(properties.AlarmDescription)?.[1] ?? ''

const metricsOf = (name: string) => alarms.filter(({ properties }) => properties.MetricName === name)

describe('the runbook', () => {
  test('has a heading for every alarm, and an alarm for every heading', () => {
    expect(new Set(alarms.map(headingOf))).toEqual(new Set(headings))
  })

  test.each(headings)('says of %s what it means, where to look, what to do, and when it is over', (heading) => {
    const section = runbook.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''

    for (const part of ['What it means.', 'Look here.', 'Do this.', 'It is over when'])
      expect(section).toContain(`**${part}`)
    expect(runbook).toContain(`[${heading}](#${heading})`)
  })

  test('names no command that there is not', () => {
    const named = [...runbook.matchAll(/`sluice ([a-z]+)/g)].map(([, name = '']) => name)
    const program = readFileSync(join(import.meta.dirname, '../../workflows/cli/sluice.ts'), 'utf8')

    for (const name of new Set(named)) expect(program).toContain(`/${name}.ts'`)
  })
})

describe('every alarm', () => {
  test('is named after the stage and its heading, and links to the runbook', () => {
    for (const alarm of alarms) {
      const { AlarmName, AlarmDescription } = alarm.properties
      expect(AlarmName).toMatch(new RegExp(`^sluice-prod-${headingOf(alarm)}(-[a-z-]+)?$`))
      expect(AlarmDescription).toMatch(/\. What to do: https:\/\/.*\/infra\/runbook\.md#[a-z-]+$/)
      // CloudWatch takes no more.
      expect(AlarmDescription.length).toBeLessThanOrEqual(1_024)
    }
  })

  test('looks at one metric, so that it costs one alarm and runs on the laptop too', () => {
    for (const { properties } of alarms) expect(properties).toMatchObject({ MetricName: expect.any(String) })
  })

  test('looks back as far as CloudWatch allows: a week when its period is an hour or more, a day otherwise', () => {
    for (const { path, properties } of alarms) {
      const seconds = properties.Period * properties.EvaluationPeriods
      expect(seconds, path).toBeLessThanOrEqual(properties.Period >= 3_600 ? 7 * 86_400 : 86_400)
    }
  })

  test('tells the same topic that it begins and that it is over, but for what has been told in more detail', () => {
    const silent = alarms.filter(({ properties }) => properties.AlarmActions === undefined)

    for (const { properties } of alarms) expect(properties.OKActions).toEqual(properties.AlarmActions)
    expect(silent.map(headingOf).sort()).toEqual(['executions-failed', 'executions-timed-out', 'transform-failed'])
  })

  test('wakes nobody unless files are held up', () => {
    const pages = alarms.filter(
      ({ properties }) => prod.pathsById.get(targetOf(properties.AlarmActions?.[0]) ?? '') === 'Notices/Pages',
    )

    expect(pages.map(headingOf)).toEqual(['queue-age'])
  })
})

describe('what is watched', () => {
  test('is each source: its refusals by the hour, its silence as long as it may last', () => {
    const bySource = Object.groupBy(
      metricsOf('FilesRefused'),
      ({ properties }) => properties.Dimensions.find(({ Name }: { Name: string }) => Name === 'source')?.Value,
    )

    expect(Object.keys(bySource).sort()).toEqual(sources.map(({ name }) => name).sort())
    for (const { name, expectedEveryHours } of sources) {
      const [refusals, silence] = bySource[name] ?? []
      expect(refusals?.properties).toMatchObject({
        Statistic: 'Average',
        Threshold: 0.05,
        TreatMissingData: 'notBreaching',
      })
      // No value at all is what silence looks like.
      expect(silence?.properties).toMatchObject({
        Statistic: 'SampleCount',
        ComparisonOperator: 'LessThanThreshold',
        Period: 3_600,
        EvaluationPeriods: expectedEveryHours,
        TreatMissingData: 'breaching',
      })
    }
  })

  test('is how many days of documents are older than they are kept, once that has been so for six hours', () => {
    expect(metricsOf('PartitionsOverdue').map(({ properties }) => properties)).toEqual([
      expect.objectContaining({
        ...{ Dimensions: [{ Name: 'service', Value: 'sluice-prod-sweep' }], Statistic: 'Maximum', Period: 3_600 },
        ...{ EvaluationPeriods: 6, Threshold: 1, ComparisonOperator: 'GreaterThanOrEqualToThreshold' },
        TreatMissingData: 'notBreaching',
      }),
    ])
  })

  test('is by what functions are called, and printed by one of them', () => {
    const functions = prod.ofType('AWS::Lambda::Function').map(({ properties }) => properties.FunctionName)
    const printed = alarms.filter(({ properties }) => properties.Namespace === 'Sluice')

    expect(printed.length).toBeGreaterThan(0)
    for (const { properties } of printed)
      expect(functions).toContain(properties.Dimensions.find(({ Name }: { Name: string }) => Name === 'service').Value)
  })

  test('is the writer, whichever instance that is, and the gateway that the stage pays for', () => {
    for (const name of ['CPUUtilization', 'DatabaseConnections'])
      expect(metricsOf(name).map(({ properties }) => properties.Dimensions)).toEqual([
        expect.arrayContaining([{ Name: 'Role', Value: 'WRITER' }]),
      ])
    expect(metricsOf('BytesInFromDestination').map(({ properties }) => properties.Dimensions[0].Name)).toEqual([
      'NatGatewayId',
    ])
  })

  test('is nothing where nobody is told, but for the dead letters, whose alarm starts their drain', () => {
    const dev = synthesize(stageOf('dev'))

    expect(dev.ofType('AWS::CloudWatch::Alarm').map(({ path }) => path)).toEqual(['Triggers/DeadLettersAlarm'])
    expect(dev.ofType('AWS::CloudWatch::Dashboard')).toEqual([])
    expect(Object.values(stages).filter(({ isWatched }) => !isWatched)).toHaveLength(1)
  })
})

describe('the dashboard', () => {
  const { DashboardBody } = prod.onlyOne('AWS::CloudWatch::Dashboard').properties
  const body = DashboardBody['Fn::Join'][1].map((part: unknown) => (typeof part === 'string' ? part : 'X')).join('')
  const widgets: { type: string; y: number; properties: { markdown?: string; title?: string; alarms?: unknown[] } }[] =
    JSON.parse(body).widgets

  test('goes from top to bottom as a file does', () => {
    const rows = widgets.filter(({ type }) => type === 'text').toSorted((a, b) => a.y - b.y)

    expect(rows.map(({ properties }) => properties.markdown?.match(/\d/)?.[0])).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  test('begins with the state of every alarm', () => {
    expect(widgets[0]?.properties.alarms).toHaveLength(alarms.length)
  })
})
