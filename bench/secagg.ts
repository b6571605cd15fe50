/**
 * Secure aggregation: what a participant and the hub take for each phase, beside the primitive floor of the same run.
 *
 *   node bench/secagg.ts [all|100-100k|100-1m|1000-100k] [runs]
 *
 * The hub's machine is measured by its parts: recovering the masks (Shamir, X25519) and taking them off (vectors).
 */

import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { chunkSum } from '../src/models/kernels/masking.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { toHex } from '../src/base/bytes.ts'
import { identityOf } from '../src/privacy/masking/fixtures.ts'
import { splitRange } from '../src/privacy/masking/mask.ts'
import { recoverMasks } from '../src/privacy/masking/recover.ts'
import { advertise, checkRoster, signFor } from '../src/privacy/masking/roster.ts'
import { pairSeed, roundSecrets, selfMaskSeed } from '../src/privacy/masking/secrets.ts'
import { openShares, sealShares, shareSecrets } from '../src/privacy/masking/share-box.ts'
import { maskText, maskUpdate, type UnmaskOrder, unmaskSum, vectorBytes } from '../src/privacy/masking/vector.ts'
import { sideBySide, summarise, type Timing } from './measure.ts'
import { floor } from './secagg/floor.ts'
import { partnersOf, prepare, type PreparedRound, type Setting, updateOf, vectorDigest } from './secagg/round.ts'
import type { Task } from './secagg/worker.ts'

const SETTINGS: Readonly<Record<string, Setting>> = {
  '100-100k': { name: 'n=100 d=100k, no dropout, all shares', organisations: 100, parameters: 100_000, dropouts: 0 },
  '100-1m': {
    name: 'n=100 d=1M, 10 % dropout, 21 shares, threshold 11 (a peer’s setting, not this policy’s)',
    organisations: 100,
    parameters: 1_000_000,
    dropouts: 10,
    shape: { neighbours: 20, threshold: 11 },
  },
  '1000-100k': {
    name: 'n=1000 d=100k, 10 % dropout, k computed',
    organisations: 1000,
    parameters: 100_000,
    dropouts: 100,
  },
}

const arithmetic = chunkSum(loadKernels(), 32)

/** Processor time stands beside wall time: other programs disturb it less. */
interface Measured {
  readonly wall: Timing
  readonly processor: Timing
}

const showWall = ({ median, fastest, slowest }: Timing): string =>
  `${median.toFixed(1)} ms wall (${fastest.toFixed(1)} to ${slowest.toFixed(1)})`
const show = ({ wall, processor }: Measured): string => `${processor.median.toFixed(1)} ms processor, ${showWall(wall)}`
const totalOf = (...parts: readonly Measured[]): string =>
  parts.reduce((sum, { processor }) => sum + processor.median, 0).toFixed(1)
const bytesOf = (message: unknown): number => JSON.stringify(message).length
const line = (what: string, value: string): void => console.log(`  ${what.padEnd(58)} ${value}`)

interface Taken {
  readonly wall: number
  readonly processor: number
}

function measureOnce(work: () => unknown): Taken {
  const before = process.cpuUsage()
  const since = performance.now()
  work()
  const wall = performance.now() - since
  const { user, system } = process.cpuUsage(before)
  return { wall, processor: (user + system) / 1000 }
}

/** In turn, `runs` times round, after one round that does not count. */
function inTurn<Names extends string>(
  runs: number,
  works: Readonly<Record<Names, () => unknown>>,
): Record<Names, Measured> {
  const names = Object.keys(works) as Names[]
  const taken = names.map(() => [] as Taken[])
  for (let round = 0; round <= runs; round++)
    names.forEach((name, i) => {
      const one = measureOnce(works[name])
      if (round > 0) taken[i]?.push(one)
    })
  const measured = (all: readonly Taken[]): Measured => ({
    wall: summarise(all.map(({ wall }) => wall)),
    processor: summarise(all.map(({ processor }) => processor)),
  })
  return Object.fromEntries(names.map((name, i) => [name, measured(taken[i] ?? [])])) as Record<Names, Measured>
}

const repeat = (runs: number, work: () => unknown): Measured => inTurn(runs, { work }).work

/** One participant, the last of the roster, through all phases. */
function benchParticipant(round: PreparedRound, runs: number): void {
  const { context, roster, secrets, neighbours, setting } = round
  const self = setting.organisations - 1
  const own = secrets[self] ?? roundSecrets('')
  const organisation = roster.members[self]?.organisation ?? ('' as never)
  const keys = { organisation, boxKey: own.boxKey, maskKey: own.maskKey, weight: 100 }
  const advertised = repeat(runs, () => advertise(context, keys, identityOf(organisation)))
  const checked = repeat(runs, () => checkRoster(context, roster.members))
  const shared = repeat(runs, () => shareSecrets(roster, own, self, neighbours[self] ?? []))
  const partners = [...(partnersOf(neighbours)[self] ?? [])]
  const update = updateOf(self, setting.parameters)
  const mask = (): unknown => {
    const pairs = partners.map((other) => ({
      seed: pairSeed(roster, own.mask, self, other),
      sign: signFor(self, other),
    }))
    const selfMask = { seed: selfMaskSeed(roster, own.self, organisation), sign: 1 } as const
    const masks = [...pairs, selfMask].map(maskText)
    const { scale } = roster
    return maskUpdate(
      { length: update.length, weight: 100, scale, rounding: 'A'.repeat(22), masks },
      update,
      arithmetic,
    )
  }
  const masked = repeat(runs, mask)
  const owners = neighbours.flatMap((drawn, i) => (drawn.includes(self) ? [i] : []))
  const pair = { mask: own.maskBytes, self: own.self }
  const boxes = owners.map((from) => sealShares(roster, secrets[from]?.box ?? own.box, from, self, pair))
  const opened = repeat(runs, () =>
    owners.map((from, i) => toHex(openShares(roster, own.box, from, self, boxes[i] ?? '').self)),
  )
  const message = shareSecrets(roster, own, self, neighbours[self] ?? [])
  line('participant: keys', `${show(advertised)}, ${bytesOf(roster.members[self])} B out`)
  line('participant: check the roster (signatures)', `${show(checked)}, ${bytesOf(roster.members)} B in`)
  line(`participant: share with ${message.neighbours.length}`, `${show(shared)}, ${bytesOf(message)} B out`)
  line(
    `participant: quantise and mask (${partners.length + 1} masks)`,
    `${show(masked)}, ${vectorBytes({ length: update.length, scale: roster.scale })} B out`,
  )
  line(`participant: open ${owners.length} boxes, reveal`, `${show(opened)}, ${bytesOf(round.reveals.at(-1))} B out`)
  line('participant: share + mask + reveal', `${totalOf(shared, masked, opened)} ms processor`)
}

async function benchHub(round: PreparedRound, runs: number): Promise<void> {
  const { roster, survivors, shares, reveals, vectors, setting } = round
  const recovery = recoverMasks({ roster, shares, survivors, reveals })
  if (!recovery.ok) throw new Error(`${recovery.reason}: ${recovery.owner}`)
  const order: UnmaskOrder = {
    length: setting.parameters,
    scale: roster.scale,
    totalWeight: 100 * survivors.length,
    vectors: survivors.map((organisation, i) => ({ organisation, vector: vectorDigest(i) })),
    masks: recovery.masks.map(maskText),
  }
  const exact = Buffer.compare(unmaskSum(order, vectors, arithmetic), round.expected) === 0
  if (!exact) throw new Error('the sum is not the plain sum of the quantised updates')
  const timings = inTurn(runs, {
    recover: () => recoverMasks({ roster, shares, survivors, reveals }),
    unmask: () => unmaskSum(order, vectors, arithmetic),
    floor: () => floor(order.masks.length, vectors, arithmetic),
  })
  const ratio = timings.unmask.processor.median / timings.floor.processor.median
  line('hub: recover masks (shares, agreements)', show(timings.recover))
  line(`hub: sum ${vectors.length} vectors, take off ${order.masks.length} masks, 1 thread`, show(timings.unmask))
  line('hub: all of it, 1 thread', `${totalOf(timings.recover, timings.unmask)} ms processor; the sum is exact`)
  line('floor: keystream and additions, 1 thread', `${show(timings.floor)}; unmasking takes ${ratio.toFixed(2)} x`)
  await benchThreads(order, vectors, round, runs)
}

async function benchThreads(
  order: UnmaskOrder,
  vectors: readonly Uint8Array[],
  { expected }: PreparedRound,
  runs: number,
): Promise<void> {
  const length = vectorBytes(order)
  const result = new SharedArrayBuffer(length)
  const task: Task = { order, buffer: vectors[0]?.buffer as unknown as SharedArrayBuffer, vectorBytes: length, result }
  const workers = [0, 1].map(() => new Worker(new URL('./secagg/worker.ts', import.meta.url), { workerData: task }))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const ranges = splitRange(order.length, 32, workers.length)
  const run = (work: 'unmask' | 'floor') => async (): Promise<void> => {
    const replies = workers.map((worker) => once(worker, 'message'))
    workers.forEach((worker, i) => worker.postMessage({ range: ranges[i], work }, []))
    await Promise.all(replies)
  }
  const { unmask, least } = await sideBySide({ unmask: run('unmask'), least: run('floor') }, runs)
  if (Buffer.compare(new Uint8Array(result), expected) !== 0) throw new Error('two threads give another sum')
  line('hub: the vectors, 2 threads', showWall(unmask))
  line('floor, 2 threads', `${showWall(least)}; unmasking takes ${(unmask.median / least.median).toFixed(2)} x`)
  await Promise.all(workers.map((worker) => worker.terminate()))
}

async function main(which: string, runs: number): Promise<void> {
  for (const [key, setting] of Object.entries(SETTINGS)) {
    if (which !== 'all' && which !== key) continue
    const round = prepare(setting, arithmetic)
    const { neighbours, threshold, quorum, corruptMax } = round.roster.plan
    console.log(`${setting.name}\n  k=${neighbours}, t=${threshold}, signatures ${quorum}, corrupt up to ${corruptMax}`)
    benchParticipant(round, runs)
    await benchHub(round, runs)
  }
}

await main(process.argv[2] ?? 'all', Number(process.argv[3] ?? 5))
