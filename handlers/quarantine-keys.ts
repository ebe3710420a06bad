/** Where the copies of refused files lie. */

interface RefusedFile {
  readonly id: number
  readonly source: string | null
}

/** Made from the ledger's id, so that any key, however odd, has a place. Everything of a file begins with this. */
export const copyPrefixOf = (file: RefusedFile): string => `quarantine/${file.source ?? 'unknown-source'}/${file.id}.`

export const copyKeyOf = (file: RefusedFile): string => `${copyPrefixOf(file)}json`

/** Beside the copy: why it was refused. */
export const reasonKeyOf = (file: RefusedFile): string => `${copyPrefixOf(file)}reason.json`
