/**
 * Secure aggregation: what a participant and the hub take for each phase, beside the primitive floor of the same run.
 *
 *   node bench/secagg.ts [all|100-100k|100-1m|100-1m-own|1000-100k] [runs]
 *
 * `npm run bench:peers` puts the same beside Flower. The hub's machine is measured by its parts: recovering the masks
 * (Shamir, X25519) and taking them off (vectors).
 */

import { chunkSum } from '../src/models/kernels/masking.ts'
import { loadKernels } from '../src/node/kernels.ts'
import type { Timing } from './measure.ts'
import { hubPhases, onThreads } from './secagg/hub.ts'
import { participantPhases } from './secagg/participant.ts'
import { prepare, type PreparedRound } from './secagg/round.ts'
import { SETTINGS } from './secagg/settings.ts'
import { inTurn, type Measured } from './secagg/timing.ts'

const arithmetic = chunkSum(loadKernels(), 32)

const showWall = ({ median, fastest, slowest }: Timing): string =>
  `${median.toFixed(1)} ms wall (${fastest.toFixed(1)} to ${slowest.toFixed(1)})`
const show = ({ wall, processor }: Measured): string => `${processor.median.toFixed(1)} ms processor, ${showWall(wall)}`
const totalOf = (...parts: readonly Measured[]): string =>
  parts.reduce((sum, { processor }) => sum + processor.median, 0).toFixed(1)
const line = (what: string, value: string): void => console.log(`  ${what.padEnd(58)} ${value}`)

async function benchParticipant(round: PreparedRound, runs: number): Promise<void> {
  const { works, bytes, masks, neighbours, boxes } = participantPhases(round, arithmetic)
  const taken = await inTurn(runs, works)
  line('participant: keys', `${show(taken.advertise)}, ${bytes.advertise} B out`)
  line('participant: check the roster (signatures)', `${show(taken.roster)}, ${bytes.roster} B in`)
  line(`participant: share with ${neighbours}`, `${show(taken.share)}, ${bytes.share} B out`)
  line(`participant: quantise and mask (${masks} masks)`, `${show(taken.mask)}, ${bytes.mask} B out`)
  line(`participant: open ${boxes} boxes, reveal`, `${show(taken.reveal)}, ${bytes.reveal} B out`)
  line('participant: share + mask + reveal', `${totalOf(taken.share, taken.mask, taken.reveal)} ms processor`)
}

async function benchHub(round: PreparedRound, runs: number): Promise<void> {
  const { order, works } = hubPhases(round, arithmetic)
  const { recover, unmask, floor } = await inTurn(runs, works)
  const ratio = unmask.processor.median / floor.processor.median
  line('hub: recover masks (shares, agreements)', show(recover))
  line(`hub: sum ${round.vectors.length} vectors, take off ${order.masks.length} masks, 1 thread`, show(unmask))
  line('hub: all of it, 1 thread', `${totalOf(recover, unmask)} ms processor; the sum is exact`)
  line('floor: keystream and additions, 1 thread', `${show(floor)}; unmasking takes ${ratio.toFixed(2)} x`)
  const two = await onThreads(2, order, round, runs)
  line('hub: the vectors, 2 threads', showWall(two.unmask.wall))
  const times = (two.unmask.wall.median / two.floor.wall.median).toFixed(2)
  line('floor, 2 threads', `${showWall(two.floor.wall)}; unmasking takes ${times} x`)
}

const [, , which = 'all', runs = '5'] = process.argv
for (const [key, setting] of Object.entries(SETTINGS)) {
  if (which !== 'all' && which !== key) continue
  const round = prepare(setting, arithmetic)
  const { neighbours, threshold, quorum, corruptMax } = round.roster.plan
  console.log(`${setting.name}\n  k=${neighbours}, t=${threshold}, signatures ${quorum}, corrupt up to ${corruptMax}`)
  await benchParticipant(round, Number(runs))
  await benchHub(round, Number(runs))
}
