/** What files become in the database, and how much of it one database can hold. */
import { ASSUMPTIONS } from '../bill/assumptions.ts'
import type { CapacityLoad } from './run-stage.ts'

/** 128 TiB, in 10^12 bytes. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_Limits.html */
export const VOLUME_TERABYTES = 140

/** GB that a day adds to the documents, for as long as they are kept. */
export const documentGigabytesPerDay = ({ filesPerDay, kilobytes }: CapacityLoad): number =>
  (ASSUMPTIONS.storedShare.value * kilobytes * 1_000 * filesPerDay) / 1e9

/** GB that a day adds to ledger and marts, which are kept for ever. */
export const keptGigabytesPerDay = ({ filesPerDay, kilobytes }: CapacityLoad): number =>
  ((ASSUMPTIONS.ledgerBytesPerFile.value + ASSUMPTIONS.martsShare.value * kilobytes * 1_000) * filesPerDay) / 1e9

/** The share of the volume that a year of ledger and marts fills; documents need some of it too. */
export const volumeShare = (load: CapacityLoad): number => (keptGigabytesPerDay(load) * 365) / 1_000 / VOLUME_TERABYTES
