/**
 * The model: what may be known of each object version, told only what happened and never how. Pure. A version has a set of
 * statuses that are legal; it has more than one where two things happened at once, or where nobody answered.
 */
import { ATTEMPTS_MAX, OBJECT_BYTES_MAX } from '../../handlers/limits.ts'
import type { ObjectVersion } from './bucket.ts'
import type { Verdict } from './contents.ts'

/** In rising rank. `absent`: not in the ledger. */
const STATUSES = ['absent', 'attempted', 'dead_letter', 'vanished', 'poison', 'quarantined', 'loaded'] as const
export type Status = (typeof STATUSES)[number]

export interface ModelVersion {
  readonly object: ObjectVersion
  readonly verdict: Verdict
  /** Condemned by its key or its size: it is never read, so it cannot vanish. */
  readonly isJudgedUnread: boolean
  /** Its id in the ledger, once it was seen there. */
  fileId: number | undefined
  existence: 'exists' | 'is being deleted' | 'deleted'
  may: ReadonlySet<Status>
  /** Attempts that may have begun and whose end nobody noted, since the process died. */
  lostAttempts: number
  /** On which day of the database's clock it was seen to be loaded. */
  loadedOn: string | undefined
}

const higher = (one: Status, other: Status): Status => (STATUSES.indexOf(one) > STATUSES.indexOf(other) ? one : other)

export class Model {
  readonly versions = new Map<string, ModelVersion>()

  put(object: ObjectVersion, verdict: Verdict, eventSizeBytes: number | undefined): void {
    const isClaimed = verdict.status === 'loaded' || verdict.kind !== 'unknown-source'
    const isJudgedUnread = !isClaimed || eventSizeBytes === 0 || (eventSizeBytes ?? 0) > OBJECT_BYTES_MAX
    this.versions.set(object.versionId, {
      object,
      verdict,
      isJudgedUnread,
      fileId: undefined,
      existence: 'exists',
      may: new Set(['absent']),
      lostAttempts: 0,
      loadedOn: undefined,
    })
  }

  beginDelete({ versionId }: ObjectVersion): void {
    const version = this.version(versionId)
    if (version.existence === 'exists') version.existence = 'is being deleted'
  }

  /** From here on, nobody can read what was being deleted. */
  endDeletes(): void {
    for (const version of this.versions.values()) {
      if (version.existence === 'is being deleted') version.existence = 'deleted'
    }
  }

  /** A function was given the version. A status only climbs; without an acknowledgement, nothing may have happened. */
  deliver({ versionId }: ObjectVersion, isAcknowledged: boolean): void {
    const version = this.version(versionId)
    const { isJudgedUnread, existence, verdict, may } = version
    const outcomes: Status[] = [
      ...(isJudgedUnread || existence !== 'deleted' ? [verdict.status] : []),
      ...(!isJudgedUnread && existence !== 'exists' ? ['vanished' as const] : []),
      ...(this.mayHaveCrashed(version) ? ['poison' as const] : []),
      // From the copy that the replay of a refused file knows of.
      ...(may.has('quarantined') ? [verdict.status] : []),
      // Noted before it was touched.
      ...(isAcknowledged ? [] : ['attempted' as const]),
    ]
    const climbed = [...may].flatMap((known) => outcomes.map((outcome) => higher(known, outcome)))
    version.may = new Set([...climbed, ...(isAcknowledged ? [] : may)])
  }

  /** Enough attempts never ended to take a file for what ended them. */
  mayHaveCrashed = ({ lostAttempts }: ModelVersion): boolean => lostAttempts >= ATTEMPTS_MAX

  /** The process died, and with it what it knew of an attempt. */
  loseAttempt(versionId: string): void {
    const version = this.versions.get(versionId)
    // None of another program's.
    if (version !== undefined) version.lostAttempts++
  }

  /** Its message may have been taken out of the dead-letter queue. */
  collect({ versionId }: ObjectVersion): void {
    const version = this.version(versionId)
    version.may = new Set([...version.may, ...[...version.may].map((known) => higher(known, 'dead_letter'))])
  }

  /** Copies were made of the files with these ids, or can never be made. */
  quarantine(fileIds: readonly number[], isSure: boolean): void {
    for (const version of this.versions.values()) {
      if (version.fileId === undefined || !fileIds.includes(version.fileId)) continue
      // What was not poison at that moment may be by now, of its own.
      const copied = [...version.may].map((known) => (known === 'poison' ? 'quarantined' : known))
      version.may = new Set(isSure ? copied : [...version.may, ...copied])
    }
  }

  /** What the ledger says must be legal, and is the truth from here on. Files are loaded for the day that it is. */
  observe(versionId: string, status: string, fileId: number | undefined, today: string): void {
    const version = this.version(versionId)
    const seen = [...version.may].find((legal) => legal === status)
    if (seen === undefined) throw new Error(`${versionId} is ${status} and must be ${[...version.may].join(' or ')}`)
    version.may = new Set([seen])
    version.fileId = fileId
    if (seen === 'loaded') version.loadedOn ??= today
  }

  /** The one legal status of a version that was observed. */
  statusOf(versionId: string): Status {
    const [status, ...others] = this.version(versionId).may
    if (status === undefined || others.length > 0) throw new Error(`${versionId} was not observed`)
    return status
  }

  /** Its status as readers see it: superseded when a loaded version of the same key has a greater sequencer. */
  stateOf(versionId: string): Status | 'superseded' {
    const { object } = this.version(versionId)
    const status = this.statusOf(versionId)
    const isSuperseded = [...this.versions.values()].some(
      (other) =>
        other.object.key === object.key &&
        this.statusOf(other.object.versionId) === 'loaded' &&
        isGreater(other.object.sequencer, object.sequencer),
    )
    return status === 'loaded' && isSuperseded ? 'superseded' : status
  }

  version(versionId: string): ModelVersion {
    const version = this.versions.get(versionId)
    if (version === undefined) throw new Error(`${versionId} was never put`)
    return version
  }
}

/** Sequencers are hexadecimal numbers, the shorter one padded with zeros on the right. */
function isGreater(one: string, other: string): boolean {
  const length = Math.max(one.length, other.length)
  return BigInt(`0x${one.padEnd(length, '0')}`) > BigInt(`0x${other.padEnd(length, '0')}`)
}
