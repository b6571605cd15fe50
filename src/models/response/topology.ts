/**
 * A network as data. Hosts sit in slots, and a federation agrees on the number of slots: observations and actions then
 * have one size at every organisation, and what a network does not have is masked. A host of the same kind belongs into
 * the same slot everywhere, since slots are what the shared weights see.
 */

import { fail } from '../../base/errors.ts'
import type { Decoy, DecoyPoses, Exploit } from './catalogue.ts'

export interface Subnet {
  readonly name: string
  /** Subnets whose hosts may open connections into this one; itself is always among them. */
  readonly acceptsFrom: readonly string[]
}

export interface Host {
  readonly name: string
  readonly subnet: string
  /** 'foothold': red holds it from the start and blue cannot restore it. 'fortress': red finds it, never takes it. */
  readonly role?: 'foothold' | 'fortress'
  /** What red can try here. */
  readonly services: readonly Exploit[]
  /** Of these, the ones that land in an account of the system, so that confidentiality is lost before escalation. */
  readonly systemServices?: readonly Exploit[]
  /** Of these, the ones that look open and never yield. */
  readonly deadServices?: readonly Exploit[]
  /** Decoys that fit, the one to place first first. */
  readonly decoys: readonly Decoy[]
  /** Reward lost in each step in which red holds the system account (>= 0). */
  readonly confidentialityLoss: number
  /** Reward lost in each step from red's impact on it until it is restored (>= 0); only the target has one. */
  readonly availabilityLoss?: number
  /** Hosts whose addresses red reads here after escalation. */
  readonly reveals?: readonly string[]
  /** Users of the organisation connect to it, which looks like a scan. */
  readonly usedByGreen?: boolean
  /** Its sensor sees every successful exploit as long as no decoy runs on it. */
  readonly alwaysSeen?: boolean
}

/** A leg of the way that an attacker who knows the network takes. */
export type PathLeg = { readonly scan: string } | { readonly take: string }

export interface Topology {
  readonly name: string
  readonly subnets: readonly Subnet[]
  /** By slot; null is an empty slot. */
  readonly slots: readonly (Host | null)[]
  /** The host that red wants to impact. */
  readonly target: string
  /** The way of B-line from the foothold to the target. */
  readonly path: readonly PathLeg[]
  readonly decoyPoses: DecoyPoses
  /** Decoys that go on catching red after a restore, although blue sees them gone. */
  readonly stickyDecoys: readonly Decoy[]
}

/** The same network with empty slots added at the end, to meet the number that a federation agreed on. */
export function withSlots(topology: Topology, slots: number): Topology {
  const missing = slots - topology.slots.length
  if (!Number.isInteger(slots) || missing < 0)
    fail('config-invalid', `topology ${topology.name} does not fit into ${slots} slots`)
  return { ...topology, slots: [...topology.slots, ...Array.from({ length: missing }, () => null)] }
}
