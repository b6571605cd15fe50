/**
 * `node bench/homomorphic/round.ts paillier|ckks [parameters] [organisations]`: a whole round under encryption through the
 * machines of hub and organisations in one process, with real ciphertexts; processor time of each kind of work, of all
 * organisations together. The opened sum is compared with the plain sum.
 */

import { dealNewCkks, openCkks } from '../../src/node/homomorphic/ckks.ts'
import { dealNewPaillier, openPaillier } from '../../src/node/homomorphic/paillier.ts'
import { nameOf, World } from '../../src/privacy/homomorphic/rounds/fixtures.ts'
import type { Dealt, HomomorphicScheme } from '../../src/privacy/homomorphic/scheme.ts'
import { PUBLIC_PRIMES } from './primes.ts'
import { DEFAULT_LEVELS } from '../../src/privacy/homomorphic/packing.ts'

const THREADS = 2

async function keyFor(kind: string, count: number): Promise<{ dealt: Dealt; scheme: HomomorphicScheme }> {
  const organisations = Array.from({ length: count }, (_, i) => nameOf(i)).sort()
  const threshold = Math.floor((2 * count) / 3) + 1
  const request = { organisations, threshold, levels: DEFAULT_LEVELS, contributionsMax: count }
  if (kind === 'ckks') {
    const dealt = await dealNewCkks(request)
    return { dealt, scheme: await openCkks(dealt.parameters) }
  }
  const primes = PUBLIC_PRIMES[2048]
  if (kind !== 'paillier' || primes === undefined) throw new Error('name paillier or ckks')
  const dealt = await dealNewPaillier(request, { modulusBits: 2048, exponentBits: 256, primes })
  return { dealt, scheme: openPaillier(dealt.parameters, THREADS) }
}

async function main(kind = 'ckks', length = 48_000, count = 10): Promise<void> {
  const key = await keyFor(kind, count)
  const taken = new Map<string, { times: number; processor: number }>()
  async function around<T>(what: string, work: () => Promise<T>): Promise<T> {
    const before = process.cpuUsage()
    const result = await work()
    const { user, system } = process.cpuUsage(before)
    const { times, processor } = taken.get(what) ?? { times: 0, processor: 0 }
    taken.set(what, { times: times + 1, processor: processor + (user + system) / 1000 })
    return result
  }
  const since = performance.now()
  const world = await new World({ count, length, key, around }).run()
  const wall = performance.now() - since
  if (world.hub.phase !== 'done') throw new Error(JSON.stringify(world.hub))
  const vectors = [...world.integers.values()]
  const exact = world.sums?.every((sum, i) => sum === vectors.reduce((all, vector) => all + (vector[i] ?? 0), 0))
  console.log(`${kind}, ${length} parameters, ${count} organisations, one process, ${THREADS} threads`)
  for (const [what, { times, processor }] of taken)
    console.log(`  ${what.padEnd(32)} ${times} x ${(processor / times / 1000).toFixed(2)} s processor`)
  const bytes = [...world.blobs.values()].reduce((sum, blob) => sum + blob.length, 0)
  console.log(
    `  the sum is ${exact === true ? 'exactly the plain sum' : 'WRONG'}; ${(wall / 1000).toFixed(1)} s wall, ${(bytes / 1e6).toFixed(0)} MB of blobs`,
  )
  process.exit(exact === true ? 0 : 1)
}

const [kind, length, count] = process.argv.slice(2)
await main(kind, length === undefined ? undefined : Number(length), count === undefined ? undefined : Number(count))
