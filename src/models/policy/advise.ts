/** Advice on a situation, with its reason: what the policy would do, how sure it is, and which host's story decided it. */

import { fail } from '../../base/errors.ts'
import { type BlueAction, decodeAction } from '../response/blue.ts'
import { mostProbable } from './evaluate.ts'
import { createObserver } from './observer.ts'
import type { Policy } from './policy.ts'
import type { SeenStep, Situation } from './situation.ts'
import { POLICY_CONSTANTS } from './train.ts'

export interface AdvisedAction {
  readonly action: BlueAction['kind']
  readonly host: string | null
  readonly probability: number
}

export interface Evidence {
  readonly host: string
  /** What is known of it, in words. */
  readonly facts: readonly string[]
  /** Of the advised action, had nothing been seen or done on this host. */
  readonly probabilityWithout: number
}

export interface Advice extends AdvisedAction {
  readonly reason: string
  /** The hosts whose story counts most for the advice, the most first. */
  readonly evidence: readonly Evidence[]
  /** Other possible actions, the most probable first. */
  readonly alternatives: readonly AdvisedAction[]
  /** Discounted reward that the policy expects from here on (at most about 0). */
  readonly value: number
}

const ALTERNATIVES = 4
const EVIDENCE = 3
/** A host counts as a reason if the advice would be less probable by this much without it. */
const COUNTS = 0.05

/** @throws wrong-shape unless the policy is of the network's size */
export function advise(policy: Policy, parameters: Float32Array, situation: Situation): Advice {
  const { network, steps, mask } = situation
  const observer = createObserver(network)
  const { observations, actions } = policy.spec
  if (observations !== observer.size || actions !== mask.length)
    fail(
      'wrong-shape',
      `the policy is for ${(actions - 1) / 4} slots and ${observations} numbers; network ${network.name} has ` +
        `${network.slots} slots and ${observer.size} numbers: see slots in the state`,
    )
  const told = network.hosts.flatMap((host, at) => (host !== null && hasStory(steps, network.slots, at) ? [at] : []))
  const rows = [undefined, ...told]
  const shown = new Float32Array(rows.length * observations)
  rows.forEach((silenced, row) => show(situation, silenced, shown.subarray(row * observations)))
  const masks = new Uint8Array(rows.length * actions)
  rows.forEach((_, row) => masks.set(mask, row * actions))
  const { probabilities, values } = policy.judge(parameters, shown, masks)
  const best = mostProbable(probabilities, 0, actions)
  const chosen = named(best, probabilities[best] ?? 0, situation)
  const evidence = told
    .map((at, i) => ({
      host: network.hosts[at]?.name ?? '',
      facts: factsOf(situation, at),
      probabilityWithout: probabilities[(i + 1) * actions + best] ?? 0,
    }))
    .sort((a, b) => a.probabilityWithout - b.probabilityWithout)
    .filter(({ probabilityWithout }) => chosen.probability - probabilityWithout >= COUNTS)
    .slice(0, EVIDENCE)
  const others = [...mask.keys()]
    .filter((action) => action !== best && mask[action] === 1)
    .sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0))
  return {
    ...chosen,
    reason: reasonOf(chosen, evidence, situation),
    evidence,
    alternatives: others.slice(0, ALTERNATIVES).map((action) => named(action, probabilities[action] ?? 0, situation)),
    value: (values[0] ?? 0) / POLICY_CONSTANTS.rewardScale,
  }
}

/** Plays the history to the observer; of the host `silenced` as if nothing had been seen or done, decoys apart. */
function show({ network, steps }: Situation, silenced: number | undefined, out: Float32Array): void {
  const { slots } = network
  const observer = createObserver(network)
  const memory = observer.remember(1)
  for (const { action, raw } of steps) {
    const seen = raw.slice()
    const own = action === undefined ? undefined : decodeAction(slots, action)
    if (silenced !== undefined) {
      seen.fill(0, 4 * silenced, 4 * silenced + 4)
      seen[4 * slots + silenced] = 0
    }
    observer.observe(memory, 0, seen, 0, own?.at === silenced ? undefined : action, out, 0)
  }
}

function hasStory(steps: readonly SeenStep[], slots: number, at: number): boolean {
  return steps.some(({ action, raw }) => {
    const own = action === undefined ? undefined : decodeAction(slots, action)
    const acted = own !== undefined && own.kind !== 'sleep' && own.at === at
    return acted || raw.subarray(4 * at, 4 * at + 4).some((bit) => bit > 0) || (raw[4 * slots + at] ?? 0) > 0
  })
}

function named(action: number, probability: number, { network }: Situation): AdvisedAction {
  const { kind, at } = decodeAction(network.slots, action) ?? { kind: 'sleep', at: 0 }
  return { action: kind, host: kind === 'sleep' ? null : (network.hosts[at]?.name ?? null), probability }
}

const BELIEFS = ['', 'believed to be held as a user', 'in doubt since a remove', 'believed to be held as the system']

function factsOf({ network, steps, decoysLeft }: Situation, at: number): string[] {
  const { slots } = network
  const last = steps.at(-1)?.raw ?? new Float32Array(0)
  const ago = (test: (step: SeenStep) => boolean): number | undefined => {
    const index = steps.findLastIndex(test)
    return index < 0 ? undefined : steps.length - 1 - index
  }
  const when = (steps: number): string => (steps === 0 ? 'now' : `${steps} ${steps === 1 ? 'step' : 'steps'} ago`)
  const facts: string[] = []
  const exploit = ago(({ raw }) => raw[4 * at + 1] === 1)
  const scan = ago(({ raw }) => raw[4 * at] === 1 && raw[4 * at + 1] === 0)
  if (exploit !== undefined) facts.push(`exploit seen ${when(exploit)}`)
  if (scan !== undefined) facts.push(`scan seen ${when(scan)}`)
  const belief = BELIEFS[2 * (last[4 * at + 2] ?? 0) + (last[4 * at + 3] ?? 0)] ?? ''
  if (belief !== '') facts.push(belief)
  for (const kind of ['analyse', 'remove', 'restore'] as const) {
    const done = ago(({ action }) => {
      const own = action === undefined ? undefined : decodeAction(slots, action)
      return own?.kind === kind && own.at === at
    })
    if (done !== undefined) facts.push(`${kind} ${when(done)}`)
  }
  const placed = (network.decoys[at]?.length ?? 0) - (decoysLeft[at] ?? 0)
  if (placed > 0) facts.push(`${placed} ${placed === 1 ? 'decoy' : 'decoys'} placed`)
  return facts
}

function reasonOf(chosen: AdvisedAction, evidence: readonly Evidence[], { decoysLeft }: Situation): string {
  if (evidence.length > 0)
    return evidence
      .map(({ host, facts, probabilityWithout }) => {
        const share = (100 * probabilityWithout).toFixed(0)
        return `${host}: ${facts.join(', ')} (without this the advice would have ${share} %)`
      })
      .join('; ')
  if (chosen.action === 'decoy') {
    const left = decoysLeft.reduce((sum, one) => sum + one, 0)
    return `no single host's history decides it: a decoy costs nothing, and ${left} can still be placed`
  }
  return chosen.action === 'sleep'
    ? 'nothing that was seen calls for an action'
    : "no single host's history decides it: the policy does this in a network of this kind whatever was seen"
}
