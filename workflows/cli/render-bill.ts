/** What `sluice cost` prints: the bill line by line, what differs by the batch, what would save most, what is assumed. */
import { ASSUMPTIONS, NOT_IN_THE_BILL } from '../bill/assumptions.ts'
import type { Bill, BillLine, Load } from '../bill/bill.ts'
import type { Assumed } from '../bill/estimate.ts'
import { count } from '../bill/line.ts'
import type { Saving } from '../bill/savings.ts'
import { type Column, formatCount, renderTable, wrap } from './format.ts'

/** One load, with batches of several sizes. */
export interface Cost {
  /** Of the stage, or the file that was given. */
  readonly what: string
  readonly bills: readonly (Bill & { readonly load: Load })[]
  readonly savings: readonly Saving[]
  /** Dollars a month by the age of the stage in months: what is never dropped is paid for each month anew. */
  readonly byAge: Readonly<Record<number, number>>
  readonly assumed: Assumed
}

export const dollars = (amount: number): string => amount.toFixed(2)

export function renderCost(cost: Cost): string {
  const [bill] = cost.bills
  if (bill === undefined) return ''
  const { load, notPriced } = bill
  return [
    `${cost.what}: ${formatCount(load.filesPerDay)} files a day of ${count(load.kilobytes)} KB, ${count(load.filesPerBatch)} in a batch. Dollars a month of 730 hours, us-east-1.`,
    renderLines(bill),
    ...(cost.bills.length > 1 ? [`By files in a batch, where it differs:\n\n${renderBatches(cost.bills)}`] : []),
    `Ledger and marts are never dropped, and kept for longer each month: ${renderAges(cost)}.`,
    cost.savings.length === 0 ? 'Nothing on the list of changes would save 50 cents.' : renderSavings(cost.savings),
    notPriced.length === 0
      ? 'Not priced: nothing.'
      : `Not priced, and NOT in the total:\n${notPriced.map((what) => `  ${what}`).join('\n')}`,
    'What is assumed: --assumptions. Another figure: --assume <name>=<number>.',
  ].join('\n\n')
}

/** Lines with money, and by a letter where and when the price was read. */
function renderLines(bill: Bill): string {
  const paid = bill.lines.filter((line) => line.dollars >= 0.005)
  const nothing = bill.lines.filter((line) => line.dollars < 0.005)
  const origins = [...new Set(paid.map(originOf))]
  const rows = [
    ...paid.map((line) => [line.item, dollars(line.dollars), letter(origins.indexOf(originOf(line))), line.formula]),
    ...(nothing.length > 0 ? [['Below a cent each', dollars(sum(nothing)), '', `${nothing.length} lines`]] : []),
    ['Total', dollars(bill.dollarsPerMonth), '', ''],
    ...(bill.dollarsPerMillionFiles > 0 ? [['A million files', dollars(bill.dollarsPerMillionFiles), '', '']] : []),
  ]
  const columns = ['item', 'dollars', 'price', 'formula'].map(
    (head, place): Column<string[]> => ({
      head,
      cell: (row) => row[place] ?? '',
      align: head === 'dollars' ? 'right' : 'left',
    }),
  )
  const legend = origins.map((origin, place) => `  ${letter(place)}  ${origin}`)
  const below = nothing.map(({ item }) => item).join('; ')
  return [
    renderTable(columns, rows),
    `Prices as of:\n${legend.join('\n')}`,
    ...(nothing.length > 0 ? [`Below a cent: ${below}.`] : []),
  ].join('\n\n')
}

const originOf = ({ price }: BillLine): string => `${price.asOf}  ${price.source}`

const letter = (place: number): string => String.fromCodePoint(97 + place)

const sum = (lines: readonly BillLine[]): number => lines.reduce((total, line) => total + line.dollars, 0)

export function renderBatches(bills: Cost['bills']): string {
  const rows = (bills[0]?.lines ?? [])
    .map(({ item }, place) => [item, ...bills.map((bill) => dollars(bill.lines[place]?.dollars ?? 0))])
    .filter(([, ...amounts]) => new Set(amounts).size > 1)
  const totals = [
    ['Total', ...bills.map((bill) => dollars(bill.dollarsPerMonth))],
    ['A million files', ...bills.map((bill) => dollars(bill.dollarsPerMillionFiles))],
  ]
  const heads = ['files in a batch', ...bills.map(({ load }) => count(load.filesPerBatch))]
  const columns = heads.map(
    (head, place): Column<string[]> => ({
      head,
      cell: (row) => row[place] ?? '',
      align: place === 0 ? 'left' : 'right',
    }),
  )
  return renderTable(columns, [...rows, ...totals])
}

const renderAges = ({ byAge }: Cost): string =>
  Object.entries(byAge)
    .map(([months, total]) => `$${dollars(total)} when the stage is ${months} months old`)
    .join(', ')

function renderSavings(savings: readonly Saving[]): string {
  const told = savings.map(({ change, dollars: saved, inTurn }, place) => {
    const turn = wrap(`In turn: ${inTurn}`).replaceAll('\n', '\n     ')
    return `  ${place + 1}. $${dollars(saved)}  ${change}\n     ${turn}`
  })
  return `Would save most, each by itself:\n${told.join('\n')}`
}

export function renderAssumptions(assumed: Assumed): string {
  const told = Object.entries(ASSUMPTIONS).map(([name, { unit, reason, value }]) => {
    const now = assumed[name as keyof Assumed]
    const note = now === value ? '' : ` (not ${count(value)}, as assumed otherwise)`
    return `${name} = ${count(now)} ${unit}${note}\n    ${wrap(reason).replaceAll('\n', '\n    ')}`
  })
  const left = NOT_IN_THE_BILL.map((what) => `  - ${wrap(what).replaceAll('\n', '\n    ')}`)
  return [...told, `How it is counted, and what is not in the bill:\n${left.join('\n')}`].join('\n')
}
