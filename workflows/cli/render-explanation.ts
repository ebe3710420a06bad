/** What happened to a key, on one screen: the newest versions in full, older ones in a line each. */
import type { VersionOfKey } from '../../handlers/read-ledger/contract.ts'
import { REASON_KINDS } from '../../handlers/reasons.ts'
import { adviseOnKey, adviseOnVersion } from './advice.ts'
import type { Explanation } from './commands/explain.ts'
import {
  formatBytes,
  formatCount,
  formatSeconds,
  formatTime,
  plural,
  printable,
  renderFacts,
  renderTable,
  wrap,
} from './format.ts'
import { renderIssue } from './issues.ts'

/** More would not fit a screen. */
const VERSIONS_IN_FULL = 2
const ISSUES_SHOWN = 5

type Fact = readonly [name: string, value: string]

export function renderExplanation(explanation: Explanation): string {
  const { key, bucket, versions, versionsOmitted } = explanation
  const known = versions.length + versionsOmitted
  const older = versions.slice(VERSIONS_IN_FULL)
  return [
    `s3://${bucket}/${printable(key)}\n${known === 0 ? 'The ledger knows no version of it.' : `${plural(known, 'version')} in the ledger, times in UTC.`}`,
    ...adviseOnKey(explanation).map((paragraph) => wrap(paragraph)),
    ...versions.slice(0, VERSIONS_IN_FULL).map((version) => renderVersion(version, explanation)),
    ...(older.length === 0 ? [] : [`Older:\n${renderOlder(older)}`]),
    ...(versionsOmitted === 0 ? [] : [`and ${plural(versionsOmitted, 'version')} before these`]),
  ].join('\n\n')
}

function renderVersion(version: VersionOfKey, explanation: Explanation): string {
  const facts: (Fact | undefined)[] = [
    ['put', describePut(version)],
    ['source', version.source ?? 'none claims the key'],
    version.state === 'loaded' || version.state === 'superseded' ? ['document', describeDocument(version)] : undefined,
    version.erasedAt === null ? undefined : ['erased', describeErasure(version.erasedAt, explanation)],
    version.reason === null ? undefined : ['refused', describeReason(version.reason)],
    version.quarantineKey === null || version.erasedAt !== null
      ? undefined
      : ['copy', `${version.quarantineKey}, its reason beside it`],
    version.quarantineNote === null ? undefined : ['copy', `none: ${version.quarantineNote}`],
    version.attemptsBegun === 0 ? undefined : ['attempts', describeAttempts(version)],
    version.batch === null ? undefined : ['batch', describeBatch(version.batch)],
    version.batch === null ? undefined : ['execution', describeExecution(version.batch, explanation)],
    version.claimedBy === null ? undefined : ['dead letter', describeDrain(version.claimedBy, explanation)],
    version.replay === null ? undefined : ['replay', describeReplay(version.replay)],
    ['next', wrap(adviseOnVersion(version, explanation))],
  ]
  const shown = facts.filter((fact) => fact !== undefined)
  const title = `${version.state.toUpperCase().replace('_', ' ')}  version ${version.versionId}`
  return `${title}\n${renderFacts(shown, '  ')}`
}

function describePut({ eventAt, sizeBytes, sequencer }: VersionOfKey): string {
  const parts = [
    eventAt === null ? 'time unknown' : formatTime(eventAt),
    ...(sizeBytes === null ? [] : [formatBytes(sizeBytes)]),
    ...(sequencer === null ? [] : [`sequencer ${sequencer}`]),
  ]
  return parts.join(', ')
}

function describeDocument(version: VersionOfKey): string {
  const { fileId, loadedOn, records, contractVersion, documentDroppedAt } = version
  const held = records === null ? '' : `, ${plural(records, 'record')}`
  if (documentDroppedAt !== null) {
    const when = `dropped by age on ${formatTime(documentDroppedAt)}`
    return `its document was ${when}; loaded_on ${loadedOn}${held}, contract version ${contractVersion}`
  }
  return `raw.documents, file_id ${fileId}, loaded_on ${loadedOn}${held}, contract version ${contractVersion}`
}

/** By the erasure that had begun last before the version was marked. */
function describeErasure(erasedAt: Date, { erasures }: Explanation): string {
  const erasure = erasures.find(({ begunAt }) => begunAt <= erasedAt)
  if (erasure === undefined) return formatTime(erasedAt)
  const told = `${formatTime(erasedAt)}, by ${erasure.requestedBy}: ${printable(erasure.why)}`
  return erasure.completedAt === null ? `${told}\nnot completed` : told
}

function describeReason({ kind, contractVersion, issues, issuesOmitted }: NonNullable<VersionOfKey['reason']>): string {
  const meaning = Object.entries(REASON_KINDS).find(([name]) => name === kind)?.[1] ?? ''
  const others = issues.length - ISSUES_SHOWN + issuesOmitted
  return [
    `${kind}: ${meaning}${contractVersion === null ? '' : ` Contract version ${contractVersion}.`}`,
    ...issues.slice(0, ISSUES_SHOWN).map((issue) => `  ${renderIssue(issue)}`),
    ...(others > 0 ? [`  and ${formatCount(others)} more`] : []),
  ].join('\n')
}

function describeAttempts({ attemptsBegun, attemptsEnded }: VersionOfKey): string {
  return `${attemptsBegun} alone, after its message had come back; ${attemptsEnded} ended`
}

function describeBatch({ id, receivedAt, committedAt, requestId }: NonNullable<VersionOfKey['batch']>): string {
  const took =
    committedAt === null
      ? 'not committed'
      : `committed ${formatSeconds((committedAt.getTime() - receivedAt.getTime()) / 1_000)} later`
  return `${id}, received ${formatTime(receivedAt)}, ${took}\nLambda request ${requestId}`
}

function describeExecution(
  { executionName, startedAt }: NonNullable<VersionOfKey['batch']>,
  { executions }: Explanation,
): string {
  if (executionName === null) return 'none needed'
  const status = executions[executionName]?.status
  if (status) return `${executionName} ${status}`
  return `${executionName} ${startedAt === null ? 'still to be started' : 'no longer kept by Step Functions'}`
}

function describeDrain(claimedBy: string, { executions }: Explanation): string {
  return `taken up by execution ${claimedBy} ${executions[claimedBy]?.status ?? 'that Step Functions no longer keeps'}`
}

function describeReplay({ id, requestedBy, why, createdAt }: NonNullable<VersionOfKey['replay']>): string {
  return `${id}, ${formatTime(createdAt)}, by ${requestedBy}: ${printable(why)}`
}

function renderOlder(versions: readonly VersionOfKey[]): string {
  return renderTable(
    [
      { head: 'state', cell: ({ state }) => state },
      { head: 'put', cell: ({ eventAt }) => (eventAt === null ? '' : formatTime(eventAt)) },
      { head: 'reason', cell: ({ reason }) => reason?.kind ?? '', isOptional: true },
      { head: 'batch', cell: ({ batch }) => String(batch?.id ?? ''), align: 'right' },
      { head: 'version', cell: ({ versionId }) => versionId },
    ],
    versions,
  )
}
