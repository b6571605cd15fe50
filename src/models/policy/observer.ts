/**
 * What the policy is shown: the environment's observation, plus what an operator would write down beside it. A sensor
 * forgets in the next step, so the history of each host is kept as traces that fade; decoys are counted, and what they
 * are worth is worked out from the network that the organisation knows. All of it is a function of the network, of the
 * observations and of blue's own actions (invariant 1): nothing that is hidden from blue gets in.
 */

import { decodeAction } from '../response/blue.ts'
import type { Network } from '../response/network.ts'
import { popCount, PREFERRED } from '../response/red.ts'

export const FEATURES_PER_SLOT = 22

/** Numbers that a policy over `slots` slots is shown. */
export const policyObservations = (slots: number): number => FEATURES_PER_SLOT * slots

/** Per step, what a trace keeps: half of it is gone after 2 and after 7 steps. */
const FAST = 0.7
const SLOW = 0.9
/** Of how long ago a host was first scanned: half in 23 steps. */
const LONG = 0.97
const TRACES = 7
const [EXPLOITS, ACTIVITY, ANALYSED, REMOVED, RESTORED, SCANNED, COUNT] = [0, 1, 2, 3, 4, 5, 6] as const

export interface Observer {
  /** Numbers in one observation. */
  readonly size: number
  /** What is remembered of `rows` episodes that have not begun. */
  remember(rows: number): Memory
  /** Forgets an episode. */
  forget(memory: Memory, row: number): void
  /**
   * Takes in what the environment showed after `action` (undefined at the start of an episode) and writes what the
   * policy is shown. `raw` is an observation of the environment.
   */
  observe(
    memory: Memory,
    row: number,
    raw: Float32Array,
    rawOffset: number,
    action: number | undefined,
    out: Float32Array,
    outOffset: number,
  ): void
}

export interface Memory {
  readonly traces: Float32Array
}

export function createObserver(network: Network): Observer {
  const { slots } = network
  const exposure = exposureTable(network)
  const worth = Float32Array.from({ length: slots }, (_, at) => worthOf(network, at))
  const place = Array.from({ length: slots }, (_, at) => placeOf(network, at))
  const leads = network.reveals.map((slots) => Math.max(0, ...slots.map((at) => worth[at] ?? 0)))
  const suspicion = new Float32Array(slots)
  const width = TRACES * slots

  function forget({ traces }: Memory, row: number): void {
    traces.fill(0, row * width, (row + 1) * width)
  }

  function observe(
    { traces }: Memory,
    row: number,
    raw: Float32Array,
    rawOffset: number,
    action: number | undefined,
    out: Float32Array,
    outOffset: number,
  ): void {
    const own = action === undefined ? undefined : decodeAction(slots, action)
    for (let at = 0; at < slots; at++) {
      const bits = rawOffset + 4 * at
      const trace = row * width + TRACES * at
      const [high = 0, low = 0, beliefHigh = 0, beliefLow = 0] = [
        raw[bits],
        raw[bits + 1],
        raw[bits + 2],
        raw[bits + 3],
      ]
      const left = raw[rawOffset + 5 * slots + at] ?? 0
      const acted = own !== undefined && own.at === at ? own.kind : 'sleep'
      fade(traces, trace, EXPLOITS, FAST, low)
      fade(traces, trace, ACTIVITY, SLOW, high)
      fade(traces, trace, ANALYSED, FAST, acted === 'analyse' ? 1 : 0)
      fade(traces, trace, REMOVED, FAST, acted === 'remove' ? 1 : 0)
      fade(traces, trace, RESTORED, FAST, acted === 'restore' ? 1 : 0)
      const known = traces[trace + SCANNED] ?? 0
      traces[trace + SCANNED] = known > 0 ? known * LONG : (raw[rawOffset + 4 * slots + at] ?? 0) > 0 ? 1 : 0
      traces[trace + COUNT] = (traces[trace + COUNT] ?? 0) + low
      const seen = traces[trace + COUNT] ?? 0

      suspicion[at] = Math.max(beliefLow, traces[trace + EXPLOITS] ?? 0)

      let to = outOffset + FEATURES_PER_SLOT * at
      out[to++] = high
      out[to++] = low
      out[to++] = beliefHigh
      out[to++] = beliefLow
      out[to++] = (raw[rawOffset + 4 * slots + at] ?? 0) / 2
      out[to++] = left / 4
      out[to++] = exposure[at]?.[left] ?? 0
      out[to++] = exposure[at]?.[Math.max(0, left - 1)] ?? 0
      out[to++] = worth[at] ?? 0
      for (let kept = EXPLOITS; kept <= SCANNED; kept++) out[to++] = traces[trace + kept] ?? 0
      out[to++] = seen / (seen + 3)
      for (const bit of place[at] ?? []) out[to++] = bit
      out[to++] = leads[at] ?? 0
    }
    for (let at = 0; at < slots; at++) {
      const to = outOffset + FEATURES_PER_SLOT * (at + 1) - 2
      out[to] = network.present[at] === true ? reachedFrom(network, suspicion, at) : 0
      out[to + 1] = network.present[at] === true ? besides(network, suspicion, at) : 0
    }
  }

  return {
    size: policyObservations(slots),
    remember: (rows) => ({ traces: new Float32Array(rows * width) }),
    forget,
    observe,
  }
}

/** A trace fades, and is 1 again where the thing happens. */
function fade(traces: Float32Array, at: number, which: number, keep: number, happened: number): void {
  traces[at + which] = happened > 0 ? 1 : (traces[at + which] ?? 0) * keep
}

/** By slot and number of decoys left: the chance that an exploit thrown at the host lands, by red.ts's own arithmetic. */
function exposureTable(network: Network): readonly Float32Array[] {
  return network.decoys.map((decoys, at) =>
    Float32Array.from({ length: decoys.length + 1 }, (_, left) => {
      const posing = decoys.slice(0, decoys.length - left).reduce((mask, { pose }) => mask | pose, 0)
      return landing(network.services[at] ?? 0, network.deadServices[at] ?? 0, posing)
    }),
  )
}

function landing(services: number, deadServices: number, decoys: number): number {
  const seeming = services | decoys
  const real = services & ~(deadServices | decoys)
  const preferred = seeming & -seeming
  const others = seeming & ~preferred
  const first = (real & preferred) === 0 ? 0 : 1
  return others === 0 ? first : PREFERRED * first + ((1 - PREFERRED) * popCount(others & real)) / popCount(others)
}

/** Three bits: in the subnet where red has its foothold, in that of its target, in another. */
function placeOf({ present, subnetOf, foothold, target }: Network, at: number): readonly number[] {
  if (present[at] !== true) return [0, 0, 0]
  const subnet = subnetOf[at]
  if (subnet === subnetOf[target]) return [0, 1, 0]
  return subnet === subnetOf[foothold] ? [1, 0, 0] : [0, 0, 1]
}

/** The strongest suspicion of a host that leads to this one. */
function reachedFrom({ reveals }: Network, suspicion: Float32Array, at: number): number {
  let most = 0
  for (const [from, slots] of reveals.entries()) if (slots.includes(at)) most = Math.max(most, suspicion[from] ?? 0)
  return most
}

/** The strongest suspicion of another host in the same subnet. */
function besides({ subnetOf, members }: Network, suspicion: Float32Array, at: number): number {
  let most = 0
  for (const other of members[subnetOf[at] ?? 0] ?? []) if (other !== at) most = Math.max(most, suspicion[other] ?? 0)
  return most
}

/** 0 for an empty slot; else what losing the host costs in a step, on a scale of which the target is the top. */
function worthOf(network: Network, at: number): number {
  if (network.present[at] !== true) return 0
  return 0.2 + 0.4 * Math.min(1, network.confidentialityLoss[at] ?? 0) + (at === network.target ? 0.4 : 0)
}
