/**
 * Which rows an organisation trains on. It knows benign rows, and the attacks of the families that it investigated; the
 * attacks of other families are in its logs, but it does not know them for what they are: they are left out.
 *
 * Floods would fill any sample: DARPA's neptune is 78 % of all attacks. So positives get at most half of `rowsMax`,
 * shared fairly among the families: each gets the same number of rows at most, and what a small family does not need
 * goes to the others. Negatives get the rest. Both are drawn by a seed, evenly over time (Knuth, TAOCP 2, 3.4.2, S).
 */

import { fail } from '../base/errors.ts'
import { type Prng, prng } from '../base/prng.ts'
import { ATTACK, BENIGN, type RowTable } from './dataset.ts'

export interface TrainingRowsOptions {
  /** Rows from this time on are of the test; null = no limit. Seconds since the epoch. */
  readonly trainUntil: number | null
  /** Techniques by name that this organisation has labels of. */
  readonly families: readonly string[] | 'all'
  readonly rowsMax: number
  readonly seed: string
}

export interface TrainingRows {
  /** Row numbers, ascending. */
  readonly rows: Uint32Array
  readonly positives: number
  /** Rows taken of each family. */
  readonly families: Readonly<Record<string, number>>
  /** Known rows before sampling. */
  readonly available: { readonly benign: number; readonly attack: number }
}

/** Fair shares of a budget: the smallest demands are met whole, the others alike. */
export function fairShares(demands: readonly number[], budget: number): number[] {
  const shares = demands.map(() => 0)
  const order = demands.map((_, i) => i).sort((a, b) => (demands[a] as number) - (demands[b] as number))
  let left = budget
  for (const [met, i] of order.entries()) {
    const share = Math.min(demands[i] as number, Math.floor(left / (order.length - met)))
    shares[i] = share
    left -= share
  }
  return shares
}

/** Counts per class: 0 = benign, 1 + t = technique t, -1 = not known to this organisation. */
function classifier(
  table: RowTable,
  techniques: readonly string[],
  options: TrainingRowsOptions,
): (row: number) => number {
  const { families, trainUntil } = options
  const known = techniques.map((name) => families === 'all' || families.includes(name))
  const until = trainUntil ?? Number.POSITIVE_INFINITY
  return (row) => {
    if (!(table.time(row) < until)) return -1
    const label = table.label(row)
    if (label === BENIGN) return 0
    const technique = table.technique(row)
    return label === ATTACK && known[technique] === true ? 1 + technique : -1
  }
}

/** Selection sampling of `wanted` of `total`, one decision a row. */
class Sampler {
  private seen = 0
  private taken = 0
  private readonly total: number
  private readonly wanted: number
  private readonly random: Prng

  constructor(total: number, wanted: number, random: Prng) {
    this.total = total
    this.wanted = wanted
    this.random = random
  }

  takes(): boolean {
    const left = this.total - this.seen++
    if (this.random.uniform() * left >= this.wanted - this.taken) return false
    this.taken++
    return true
  }
}

/**
 * @throws invalid-request unless rowsMax >= 2; no-data if the organisation knows no row at all (one class alone is
 * allowed: an organisation without any attack still teaches what is normal).
 */
export function trainingRows(
  table: RowTable,
  techniques: readonly string[],
  options: TrainingRowsOptions,
): TrainingRows {
  if (!(Number.isInteger(options.rowsMax) && options.rowsMax >= 2))
    fail('invalid-request', 'rowsMax must be an integer of at least 2')
  const classOf = classifier(table, techniques, options)
  const available = new Array<number>(techniques.length + 1).fill(0)
  for (let row = 0; row < table.length; row++) {
    const known = classOf(row)
    if (known >= 0) available[known] = (available[known] as number) + 1
  }
  const [benign = 0, ...attacks] = available
  const attack = attacks.reduce((sum, count) => sum + count, 0)
  if (benign + attack === 0) fail('no-data', 'no interaction before the cut has a label that this organisation knows')
  const shares = [0, ...fairShares(attacks, Math.max(Math.floor(options.rowsMax / 2), options.rowsMax - benign))]
  const positives = shares.reduce((sum, share) => sum + share, 0)
  shares[0] = Math.min(benign, options.rowsMax - positives)
  const rows = draw(table.length, classOf, available, shares, options.seed)
  return { rows, positives, families: familyCounts(techniques, shares), available: { benign, attack } }
}

function draw(
  length: number,
  classOf: (row: number) => number,
  available: number[],
  shares: number[],
  seed: string,
): Uint32Array {
  const samplers = shares.map(
    (share, i) => new Sampler(available[i] as number, share, prng(`training rows/${seed}/${i}`)),
  )
  const rows = new Uint32Array(shares.reduce((sum, share) => sum + share, 0))
  let at = 0
  for (let row = 0; row < length; row++) {
    const known = classOf(row)
    if (known >= 0 && (samplers[known] as Sampler).takes()) rows[at++] = row
  }
  return rows
}

function familyCounts(techniques: readonly string[], shares: readonly number[]): Record<string, number> {
  const counts = techniques.map((name, i): [string, number] => [name, shares[i + 1] ?? 0])
  return Object.fromEntries(counts.filter(([name, count]) => name !== '' && count > 0))
}
