/** The whole DARPA-98 stream in columns, and its order: shuffled inside minutes, since the capture sorts them. */

import { prng, shuffle } from '../../../src/base/prng.ts'
import { readLines } from '../../../src/node/ingest/lines.ts'
import { DARPA_EPOCH, darpaCsvParser, TICK_SECONDS, tickClock } from '../../../src/telemetry/formats/darpa-csv.ts'
import { isFlood } from '../../../src/telemetry/labels.ts'
import { DARPA_SITES, siteMatcher } from '../../../src/telemetry/sites.ts'

export interface Stream {
  readonly rows: number
  readonly ticks: number
  readonly tick: Uint32Array
  readonly source: Uint32Array
  readonly destination: Uint32Array
  /** Index into `techniques`; 0 = benign. */
  readonly technique: Uint8Array
  readonly techniques: readonly string[]
  /** By host number. */
  readonly addresses: readonly string[]
}

const ROWS_MAX = 5_000_000

/** @throws input-invalid if the file cannot be read */
export async function readStream(path: string): Promise<Stream> {
  const columns = [0, 1, 2].map(() => new Uint32Array(ROWS_MAX))
  const [tick, source, destination] = columns as [Uint32Array, Uint32Array, Uint32Array]
  const technique = new Uint8Array(ROWS_MAX)
  const hosts = new Map<string, number>()
  const techniques = new Map<string, number>([['', 0]])
  const clock = tickClock()
  const parser = darpaCsvParser(clock)
  let rows = 0
  for await (const { lines } of readLines(path))
    for (const line of lines) {
      const parsed = parser.parse(line)
      if (!('ok' in parsed) || !parsed.ok) continue
      const { interaction } = parsed
      tick[rows] = (interaction.time - DARPA_EPOCH) / TICK_SECONDS
      source[rows] = numberOf(hosts, interaction.source)
      destination[rows] = numberOf(hosts, interaction.destination)
      technique[rows++] = numberOf(techniques, interaction.technique ?? '')
    }
  return {
    rows,
    ticks: clock.ticks,
    tick: tick.subarray(0, rows),
    source: source.subarray(0, rows),
    destination: destination.subarray(0, rows),
    technique: technique.subarray(0, rows),
    techniques: [...techniques.keys()],
    addresses: [...hosts.keys()],
  }
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const known = numbers.get(name)
  if (known !== undefined) return known
  numbers.set(name, numbers.size)
  return numbers.size - 1
}

/** Row numbers in the order of ticks, in a seeded order inside each. Five late rows come back to their tick. */
export function shuffledOrder({ rows, ticks, tick }: Stream, seed: string): Uint32Array {
  const starts = new Uint32Array(ticks + 1)
  for (let row = 0; row < rows; row++) starts[(tick[row] ?? 0) + 1] = (starts[(tick[row] ?? 0) + 1] ?? 0) + 1
  for (let t = 0; t < ticks; t++) starts[t + 1] = (starts[t + 1] ?? 0) + (starts[t] ?? 0)
  const order = new Uint32Array(rows)
  const next = starts.slice()
  for (let row = 0; row < rows; row++) {
    const t = tick[row] ?? 0
    const at = next[t] ?? 0
    order[at] = row
    next[t] = at + 1
  }
  const random = prng(`darpa stream/${seed}`)
  for (let t = 0; t < ticks; t++) shuffle(order.subarray(starts[t], starts[t + 1]), random)
  return order
}

/** The stream in another order. */
export function inOrder(stream: Stream, order: Uint32Array): Stream {
  const pick = <T extends Uint32Array | Uint8Array>(column: T): T => {
    const picked = column.slice() as T
    for (let i = 0; i < order.length; i++) picked[i] = column[order[i] ?? 0] ?? 0
    return picked
  }
  return {
    ...stream,
    tick: pick(stream.tick),
    source: pick(stream.source),
    destination: pick(stream.destination),
    technique: pick(stream.technique),
  }
}

/** By technique index: 1 = an attack, 2 more = one that is no flood; the bits of later-slice.ts. */
export function kindsByTechnique({ techniques }: Pick<Stream, 'techniques'>): number[] {
  return techniques.map((name) => (name === '' ? 0 : isFlood(name) ? 1 : 3))
}

/** Organisation of each host, -1 for the outside: the /24 decides. */
export function organisationsOfHosts({ addresses }: Pick<Stream, 'addresses'>): Int8Array {
  const siteOf = siteMatcher(DARPA_SITES)
  return Int8Array.from(addresses, (address) => siteOf(address, address))
}
