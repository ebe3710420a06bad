/** The table of docs/retention.md: what the stages say, and what their templates enforce. */
import { readFileSync } from 'node:fs'
import type { Duration } from 'aws-cdk-lib'
import { describe, expect, test } from 'vitest'
import type { PipelineStackProps } from '../../infra/pipeline-stack.ts'
import { type Resource, stages, synthesize } from './synthesized.ts'

const doc = readFileSync(new URL('../../docs/retention.md', import.meta.url), 'utf8')
const [head = [], ...rows] = [...doc.matchAll(/^\| (?!-)(.*) \|$/gm)].map(([, line = '']) =>
  line.split('|').map((cell) => cell.trim()),
)
/** By place, then by the heads of the columns. */
const table = Object.fromEntries(
  rows.map((cells) => [cells[0] ?? '', Object.fromEntries(head.map((name, index) => [name, cells[index] ?? '']))]),
)

const days = (duration: Duration): string => (duration.toDays() === 1 ? '1 day' : `${duration.toDays()} days`)

/** What each line says of a stage, by the literals of it. */
const LINES: Record<string, (stage: PipelineStackProps) => string> = {
  '`input/`, current versions': (stage) => days(stage.inputRetention),
  '`input/`, replaced or expired versions': (stage) => `${days(stage.overwrittenInputRetention)} more`,
  '`quarantine/`, copies and reasons': (stage) => days(stage.quarantineRetention),
  '`quarantine/`, expired ones': (stage) => `${days(stage.overwrittenQuarantineRetention)} more`,
  '`raw.documents`': (stage) => days(stage.documentRetention),
  '`intermediate`, `marts`': () => 'for ever',
  '`ingest.files`, reasons': () => 'for ever',
  '`ingest.messages`': () => 'for ever',
  'backups of the database': ({ aws }) => (aws ? days(aws.aurora.backupRetention) : 'none'),
  'artifacts of builds': (stage) => days(stage.artifactRetention),
  'logs of functions, builds and database': (stage) => `${stage.logRetentionDays} days`,
  'messages in the queues': (stage) => `${stage.queueRetention.toDays()} and ${days(stage.deadLetterRetention)}`,
  // AWS's, and no setting. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
  'histories of executions': () => '90 days',
}

describe('the table', () => {
  test('has a line for each place, and a column for each stage', () => {
    expect(Object.keys(table)).toEqual(Object.keys(LINES))
    expect(head.filter((name) => name in stages)).toEqual(Object.keys(stages))
  })

  test.each(Object.entries(stages))('says of %s what its literals say', (name, stage) => {
    const said = Object.entries(table).map(([place, cells]) => [place, cells[name]])

    expect(said).toEqual(Object.entries(LINES).map(([place, of]) => [place, of(stage)]))
  })

  test('names the literal by which each bound is set, and a reason where there is none', () => {
    const source = readFileSync(new URL('../../infra/app.ts', import.meta.url), 'utf8')
    for (const { by = '', place = '', prod } of Object.values(table)) {
      const literals = [...by.matchAll(/`(?:\w+\.)?(\w+)`/g)].map(([, name]) => name)
      for (const literal of literals)
        expect(source.match(new RegExp(`\\b${literal}: `, 'g'))?.length, place).toBeGreaterThan(1)
      expect(literals.length > 0, place).toBe(prod !== 'for ever' && place !== 'histories of executions')
      expect(by.length).toBeGreaterThan(10)
    }
  })
})

describe.each(Object.entries(stages))('the template of %s', (_, stage) => {
  const { at, ofType, resources } = synthesize(stage)
  const rules: Resource['properties'][] = at('Landing/Bucket').properties.LifecycleConfiguration.Rules

  test('expires files and copies as their literals say, the versions below too', () => {
    expect(rules.filter(({ Prefix }) => Prefix !== undefined)).toEqual([
      expect.objectContaining({
        Prefix: 'input/',
        ExpirationInDays: stage.inputRetention.toDays(),
        NoncurrentVersionExpiration: { NoncurrentDays: stage.overwrittenInputRetention.toDays() },
        Status: 'Enabled',
      }),
      expect.objectContaining({
        Prefix: 'quarantine/',
        ExpirationInDays: stage.quarantineRetention.toDays(),
        NoncurrentVersionExpiration: { NoncurrentDays: stage.overwrittenQuarantineRetention.toDays() },
        Status: 'Enabled',
      }),
    ])
  })

  test('tells the sweep how long documents are kept, which is more than the week below which the database drops none', () => {
    const { Variables } = at('Orchestration/Sweep', 'AWS::Lambda::Function').properties.Environment

    expect(Variables.RAW_RETENTION_DAYS).toBe(String(stage.documentRetention.toDays()))
    expect(stage.documentRetention.toDays()).toBeGreaterThanOrEqual(7)
  })

  test('expires what builds leave, which has no versions', () => {
    const { LifecycleConfiguration, VersioningConfiguration } = at('Transform/Builds').properties

    expect(LifecycleConfiguration.Rules).toEqual([
      expect.objectContaining({ ExpirationInDays: stage.artifactRetention.toDays(), Status: 'Enabled' }),
    ])
    expect(VersioningConfiguration).toBeUndefined()
  })

  test('clears every log, and keeps backups and messages, as long as its literals say', () => {
    const logs = ofType('AWS::Logs::LogGroup')
    const clusters = resources.filter(({ type }) => type === 'AWS::RDS::DBCluster')

    expect(logs.length).toBeGreaterThan(10)
    for (const { path, properties } of logs)
      expect([path, properties.RetentionInDays]).toEqual([path, stage.logRetentionDays])
    for (const { properties } of ofType('Custom::LogRetention'))
      expect(properties.RetentionInDays).toBe(stage.logRetentionDays)
    expect(clusters.map(({ properties }) => properties.BackupRetentionPeriod)).toEqual(
      stage.aws ? [stage.aws.aurora.backupRetention.toDays()] : [],
    )
    const retentions = ['Landing/Queue', 'Landing/ReplayQueue', 'Landing/DeadLetterQueue'].map(
      (path) => at(path).properties.MessageRetentionPeriod,
    )
    const [queue, dead] = [stage.queueRetention.toSeconds(), stage.deadLetterRetention.toSeconds()]
    expect(retentions).toEqual([queue, queue, dead])
  })
})
