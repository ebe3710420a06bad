import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Template } from '../../../workflows/bill/bill.ts'
import { addCost, costOf } from '../../../workflows/cli/commands/cost.ts'
import { renderBatches, renderCost } from '../../../workflows/cli/render-bill.ts'
import { synthesize } from '../../../workflows/cli/synthesize.ts'
import { reference } from '../bill/reference.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-cost-'))
const file = join(folder, 'template.json')
writeFileSync(file, JSON.stringify(reference()))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the command within this process; an error of use is its message. */
async function cost(...options: string[]): Promise<string> {
  const out: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text))
  const keep = (text: string) => void out.push(text)
  const program = new Command().option('--stage <name>', '', 'local').option('--json').exitOverride()
  program.configureOutput({ writeOut: keep, writeErr: keep })
  addCost(program)
  try {
    await program.parseAsync(['cost', ...options], { from: 'user' })
  } catch (error) {
    if (out.length === 0) throw error
  } finally {
    log.mockRestore()
  }
  return out.join('\n')
}

describe('sluice cost', () => {
  test('prints each line with its formula, dollars and the day of its price, the totals, and what would save most', async () => {
    const printed = await cost('--template', file)
    expect(printed).toMatch(/S3: producers put files +15\.21 +a +3,041,667 PUT x \$0\.005 \/ 1,000/)
    expect(printed).toMatch(/a {2}2026-08-21 {2}AWS price list/)
    expect(printed).toMatch(/files in a batch +13 +32 +64/)
    expect(printed).toMatch(/1\. \$106\.58 {2}no reader of Aurora\n +In turn: /)
    expect(printed).toContain('Not priced: nothing.')
  })

  test('says what has no price', async () => {
    const odd = join(folder, 'odd.json')
    writeFileSync(
      odd,
      JSON.stringify({ Resources: { ...reference().Resources, Cache: { Type: 'AWS::DAX::Cluster' } } }),
    )
    expect(await cost('--template', odd)).toMatch(/NOT in the total:\n {2}AWS::DAX::Cluster Cache: no price is known/)
  })

  test('gives all of it as JSON', async () => {
    const { bills, savings, assumptions } = JSON.parse(await cost('--template', file, '--json'))
    expect(bills.map(({ load }: { load: { filesPerBatch: number } }) => load.filesPerBatch)).toEqual([13, 32, 64])
    expect(bills[0].lines[0]).toMatchObject({
      item: 'S3: producers put files',
      price: { asOf: '2026-08-21', per: 1_000 },
    })
    expect(savings).toHaveLength(3)
    expect(assumptions).toContainEqual(expect.objectContaining({ name: 'rawRetentionDays', value: 90, unit: 'days' }))
  })

  test('says what is assumed and why, and takes other figures', async () => {
    const printed = await cost('--template', file, '--assumptions', '--assume', 'questions=5')
    expect(printed).toContain('questions = 5 calls a month (not 1,000, as assumed otherwise)')
    expect(printed).toMatch(/backupFactor = 6 x what is loaded\n +Backups hold/)
    expect(printed).toContain('What leaves AWS')
  })

  test('explains itself with examples, and what the estimate of $236 left out', async () => {
    const printed = await cost('--help')
    expect(printed).toContain('sluice cost --stage prod --files-per-day 100000 --kilobytes 50')
    expect(printed).toContain('it left out Step Functions ($35), NAT')
  })

  test.each([
    [['--files-per-day', '1e5'], 'Give a number from 0 to 100000000'],
    [['--kilobytes', '0'], 'Give a number from 0.1 to 33554.432'],
    [['--files-per-batch', '101', '--template', file], 'a batch of this stage holds 100 at most'],
    [['--assume', 'luck=1'], 'Give <name>=<number>; the names: refusedShare,'],
    [['--template', 'nowhere.json'], 'nowhere.json is no template that can be read'],
    [['--stage', 'local'], 'stage local is not on AWS: name one that is'],
  ])('refuses %j', async (options, message) => {
    expect(await cost(...options)).toContain(message)
  })

  test('exits with 2 when it is used wrongly', { timeout: 30_000 }, async () => {
    const program = join(import.meta.dirname, '../../../workflows/cli/sluice.ts')
    const code = await new Promise((resolve) => {
      execFile(process.execPath, [program, 'cost', '--kilobytes', 'x'], (error) => resolve(error?.code))
    })
    expect(code).toBe(2)
  })
})

describe('the bill of a stage', () => {
  const standard = { filesPerDay: 100_000, kilobytes: 50, assume: {} }
  let prod: Template
  let dev: Template
  beforeAll(async () => {
    // One after the other: both together take longer than a machine with two cores has time for.
    prod = await synthesize('prod')
    dev = await synthesize('dev')
  }, 120_000)

  test('prices everything that is in it', () => {
    for (const template of [prod, dev]) {
      for (const { notPriced } of costOf('', template, standard).bills) expect(notPriced).toEqual([])
    }
  })

  test('is in docs/cost.md as the command prints it; mend it with `npx vitest -u run test/workflows/cli/cost`', async () => {
    const document = join(import.meta.dirname, '../../../docs/cost.md')
    const withoutReader = Object.entries(prod.Resources).filter(
      ([id]) => !/Reader/.test(id) || !/DBInstance/.test(prod.Resources[id]?.Type ?? ''),
    )
    const blocks: Record<string, string> = {
      prod: renderCost(costOf('Stage prod', prod, standard)),
      'prod without a reader': renderBatches(
        costOf('', { Resources: Object.fromEntries(withoutReader) }, standard).bills,
      )
        .split('\n')
        .filter((line) => /^(files|Total|A million)/.test(line))
        .join('\n'),
      'dev at rest': renderCost(costOf('Stage dev', dev, { ...standard, filesPerDay: 0 })).split('\n\nPrices')[0] ?? '',
    }
    const filled = readFileSync(document, 'utf8').replaceAll(
      /(<!-- printed: ([^>]*) -->\n\n```\n)[\s\S]*?(^```$)/gm,
      (_, before: string, name: string, after: string) => `${before}${blocks[name]}\n${after}`,
    )
    for (const block of Object.values(blocks)) expect(filled).toContain(block)
    await expect(filled).toMatchFileSnapshot(document)
  })

  test('of a stage that the app does not know names those that there are', { timeout: 60_000 }, async () => {
    await expect(synthesize('nope')).rejects.toThrow("Unknown stage 'nope'. Stages: local, dev, prod")
  })
})
