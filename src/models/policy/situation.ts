/**
 * What an operator knows of a network, as a document: what sensors showed step after step, and what was done in between.
 * From it follows what a policy is shown and which actions are possible. Anything that cannot be so is refused: advice on
 * a state that never was would look like any other advice.
 */

import { z } from 'zod'
import { fail } from '../../base/errors.ts'
import { actionCount, BLUE_KINDS, BLUE_SLEEP, type BlueAction, decodeAction, encodeAction } from '../response/blue.ts'
import type { Network } from '../response/network.ts'
import {
  CLEAN,
  DOUBTFUL,
  EXPLOIT_SEEN,
  NEVER_SCANNED,
  QUIET,
  SCAN_SEEN,
  SCANNED_BEFORE,
  SCANNED_NOW,
  SYSTEM_COMPROMISE,
  USER_COMPROMISE,
} from '../response/state.ts'

const ACTIVITY = { none: QUIET, scan: SCAN_SEEN, exploit: EXPLOIT_SEEN } as const
const BELIEF = { clean: CLEAN, user: USER_COMPROMISE, doubtful: DOUBTFUL, system: SYSTEM_COMPROMISE } as const
const STEPS_MAX = 10_000

const hostSchema = z.strictObject({
  activity: z.enum(['none', 'scan', 'exploit']).default('none'),
  belief: z.enum(['clean', 'user', 'doubtful', 'system']).exactOptional(),
})

const stepSchema = z.strictObject({
  /** What was done before this was seen: `sleep`, or a kind and a host, like `restore enterprise1`. */
  did: z.string().max(200).exactOptional(),
  hosts: z.record(z.string().max(64), hostSchema).default({}),
})

export const situationSchema = z.strictObject({
  format: z.literal('entente-response-state-1'),
  /** As `response.topology` of entente.yaml: cage2, cage2-repaired, a JSON file, or the seed of a drawn network. */
  topology: z.string().min(1).max(4096),
  slots: z.int().min(1).max(64).default(13),
  /** Oldest first; the last is now. */
  history: z.array(stepSchema).min(1).max(STEPS_MAX),
  /** Actions that must not be advised, like `restore enterprise1`. */
  unavailable: z.array(z.string().max(200)).max(1000).default([]),
})

export type SituationDocument = z.infer<typeof situationSchema>

/** @throws invalid-request naming the first field that is wrong */
export function parseSituation(value: unknown): SituationDocument {
  const parsed = situationSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  return fail('invalid-request', `state: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
}

/** One step in the form of the environment's observation. */
export interface SeenStep {
  /** Undefined for the first. */
  readonly action: number | undefined
  readonly raw: Float32Array
}

export interface Situation {
  readonly network: Network
  readonly steps: readonly SeenStep[]
  /** 1 for each action that may be advised. */
  readonly mask: Uint8Array
  /** How many decoys can still be placed, by slot. */
  readonly decoysLeft: Uint8Array
}

/** Reads a document against its network. @throws invalid-request for a host, an action or a belief that cannot be */
export function readSituation(document: SituationDocument, network: Network): Situation {
  const { slots } = network
  const belief = new Uint8Array(slots)
  const scans = new Uint8Array(slots)
  const decoysLeft = Uint8Array.from(network.decoys, (decoys) => decoys.length)
  // A restore comes before what sensors report of a step, a remove and a decoy after it (response/turn.ts).
  const steps = document.history.map((step, i) => {
    const where = `history.${i}`
    if (i === 0 && step.did !== undefined)
      fail('invalid-request', `${where}.did: nothing is done before the first step`)
    if (i > 0 && step.did === undefined) fail('invalid-request', `${where}.did: what was done before it is missing`)
    const action = step.did === undefined ? undefined : actionNamed(step.did, network, decoysLeft, `${where}.did`)
    if (action?.kind === 'restore') {
      belief[action.at] = CLEAN
      decoysLeft[action.at] = network.decoys[action.at]?.length ?? 0
    }
    const activity = new Uint8Array(slots)
    for (const [name, seen] of Object.entries(step.hosts)) {
      const at = slotNamed(name, network, `${where}.hosts`)
      activity[at] = ACTIVITY[seen.activity]
      if (seen.activity === 'exploit') belief[at] = USER_COMPROMISE
    }
    if (action?.kind === 'remove') belief[action.at] = DOUBTFUL
    if (action?.kind === 'decoy') decoysLeft[action.at] = (decoysLeft[action.at] ?? 1) - 1
    for (const [name, seen] of Object.entries(step.hosts))
      if (seen.belief !== undefined) belief[slotNamed(name, network, where)] = BELIEF[seen.belief]
    age(scans, activity)
    return {
      action: action === undefined ? undefined : numberOf(action, slots),
      raw: rawOf(slots, activity, belief, scans, decoysLeft),
    }
  })
  return { network, steps, mask: maskOf(document, network, decoysLeft), decoysLeft }
}

function age(scans: Uint8Array, activity: Uint8Array): void {
  activity.forEach((seen, at) => {
    if ((seen & SCAN_SEEN) !== 0) scans[at] = SCANNED_NOW
    else if (scans[at] !== NEVER_SCANNED) scans[at] = SCANNED_BEFORE
  })
}

function rawOf(
  slots: number,
  activity: Uint8Array,
  belief: Uint8Array,
  scans: Uint8Array,
  decoysLeft: Uint8Array,
): Float32Array {
  const raw = new Float32Array(6 * slots)
  for (let at = 0; at < slots; at++) {
    raw.set([(activity[at] ?? 0) >> 1, (activity[at] ?? 0) & 1, (belief[at] ?? 0) >> 1, (belief[at] ?? 0) & 1], 4 * at)
    raw[4 * slots + at] = scans[at] ?? 0
    raw[5 * slots + at] = decoysLeft[at] ?? 0
  }
  return raw
}

const numberOf = ({ kind, at }: BlueAction, slots: number): number =>
  kind === 'sleep' ? BLUE_SLEEP : encodeAction(slots, kind, at)

function slotNamed(name: string, network: Network, where: string): number {
  const at = network.hosts.findIndex((host) => host?.name === name)
  if (at >= 0) return at
  const known = network.hosts.flatMap((host) => (host === null ? [] : [host.name]))
  return fail('invalid-request', `${where}: network ${network.name} has no host ${name}; it has ${known.join(', ')}`)
}

/** An action in words. @throws invalid-request also for one that is masked in this state */
function actionNamed(text: string, network: Network, decoysLeft: Uint8Array, where: string): BlueAction {
  if (text === 'sleep') return { kind: 'sleep', at: 0 }
  const [kind = '', name = '', ...rest] = text.split(' ')
  const known = BLUE_KINDS.find((one) => one === kind)
  if (known === undefined || name === '' || rest.length > 0)
    return fail('invalid-request', `${where}: "${text}" is not sleep, or one of ${BLUE_KINDS.join(', ')} and a host`)
  const action = { kind: known, at: slotNamed(name, network, where) }
  if (!isPossible(action, network, decoysLeft))
    fail('invalid-request', `${where}: "${text}" is masked: ${reasonOfMask(action, network)}`)
  return action
}

function isPossible({ kind, at }: BlueAction, network: Network, decoysLeft: Uint8Array): boolean {
  if (kind === 'sleep') return true
  if (network.present[at] !== true) return false
  if (kind === 'decoy') return (decoysLeft[at] ?? 0) > 0
  return kind !== 'restore' || at !== network.foothold
}

function reasonOfMask({ kind, at }: BlueAction, network: Network): string {
  if (kind !== 'decoy') return 'the foothold cannot be restored'
  return (network.decoys[at] ?? []).length === 0 ? 'no decoy fits this host' : 'all its decoys are placed'
}

function maskOf(document: SituationDocument, network: Network, decoysLeft: Uint8Array): Uint8Array {
  const { slots } = network
  const mask = Uint8Array.from({ length: actionCount(slots) }, (_, action) =>
    isPossible(decodeAction(slots, action) ?? { kind: 'sleep', at: 0 }, network, decoysLeft) ? 1 : 0,
  )
  for (const text of document.unavailable) {
    if (text === 'sleep') fail('invalid-request', 'unavailable: to do nothing is always possible')
    const [kind = '', name = ''] = text.split(' ')
    const known = BLUE_KINDS.find((one) => one === kind)
    if (known === undefined)
      fail('invalid-request', `unavailable: "${text}" is not one of ${BLUE_KINDS.join(', ')} and a host`)
    mask[encodeAction(slots, known, slotNamed(name, network, 'unavailable'))] = 0
  }
  return mask
}
