/** What the soak puts: small orders, some of them twice or over another, and bad files. The same for the same seed. */

import type { ReasonKind } from '../../../handlers/reasons.ts'
import { badFiles } from '../../../infra/local/demo/bad-files.ts'
import { integerBetween, pick } from '../../../infra/local/demo/random.ts'
import type { Random } from '../../../workflows/capacity/random.ts'
import { orderText } from '../../support/orders.ts'

/** Events of keys below this are sent a second time. */
export const TWICE_PREFIX = 'input/orders/twice/'

/** Of all files. */
const TWICE_SHARE = 0.01
const BAD_SHARE = 0.005
const OVERWRITE_SHARE = 0.01

/** Above this many bytes a bad file is about a limit of size or number, which says nothing over hours and takes minutes. */
const BAD_BYTES_MAX = 10_000

export interface SoakFile {
  readonly key: string
  readonly body: string | Uint8Array
  /** What it must become. A version that another one of its key replaces is `superseded` in the end. */
  readonly fate: { readonly state: 'loaded' } | { readonly state: 'quarantined'; readonly kind: ReasonKind }
  /** The file, by its position, whose key this one takes. It must be put before. None is taken twice. */
  readonly overwrites?: number | undefined
}

export function makeSoakFiles(count: number, random: Random): SoakFile[] {
  const bad = badFiles.filter(({ body }) => body.byteLength <= BAD_BYTES_MAX)
  const files: SoakFile[] = []
  const overwritten = new Set<number>()
  for (let number = 0; number < count; number++) {
    const chance = random()
    const earlier = integerBetween(random, 0, Math.max(0, number - 1))
    if (chance < BAD_SHARE) files.push(badFile(pick(random, bad as [(typeof bad)[number], ...typeof bad]), number))
    else if (chance < BAD_SHARE + TWICE_SHARE) files.push(order(`${TWICE_PREFIX}${number}.json`, number))
    else if (
      chance < BAD_SHARE + TWICE_SHARE + OVERWRITE_SHARE &&
      files[earlier]?.fate.state === 'loaded' &&
      files[earlier].overwrites === undefined &&
      !overwritten.has(earlier)
    ) {
      overwritten.add(earlier)
      files.push({ ...order(files[earlier].key, number), overwrites: earlier })
    } else files.push(order(`input/orders/soak/${number}.json`, number))
  }
  return files
}

const order = (key: string, number: number): SoakFile => ({
  key,
  body: orderText({ order_id: `SOAK-${number}`, total: number + 0.99 }),
  fate: { state: 'loaded' },
})

function badFile({ key, body, kind }: (typeof badFiles)[number], number: number): SoakFile {
  return { key: key.replace(/[^/]*$/, (name) => `${number}/${name}`), body, fate: { state: 'quarantined', kind } }
}
