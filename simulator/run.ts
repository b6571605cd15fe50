/** What a simulated history leaves behind for the checkers. */

import type { Envelope } from '../src/base/envelope.ts'
import type { Digest, OrganisationId } from '../src/base/ids.ts'
import type { Mail } from '../src/node/ports.ts'
import type { Tables } from './fakes/tables.ts'
import type { Plan } from './plan.ts'
import type { Scheduler } from './scheduler.ts'

/** Something that the hub told an organisation it had done; from then on it must be so. */
export type Acknowledgement =
  | { readonly type: 'registration'; readonly organisation: OrganisationId; readonly signingKey: string }
  | { readonly type: 'envelope'; readonly organisation: OrganisationId; readonly envelope: Envelope }
  | { readonly type: 'mail'; readonly organisation: OrganisationId; readonly mail: Mail }
  | { readonly type: 'blob'; readonly organisation: OrganisationId; readonly digest: Digest }

/** A node as it is after the last event. */
export interface NodeRemains {
  readonly name: string
  readonly tables: Tables
  /** All that it ever stored. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
  /** What of that is still on its disk. */
  readonly kept: ReadonlySet<Digest>
  readonly crashes: number
}

export interface Run {
  readonly plan: Plan
  readonly scheduler: Scheduler
  readonly acknowledgements: readonly Acknowledgement[]
  /** Ledger records that a node replaced by others, as they happened. */
  readonly overwritten: readonly string[]
  /** `organisation/round` of contributions that the hub took before the organisation had spent for them. */
  readonly unspent: readonly string[]
  /** Organisations that left: they get no more blocks. */
  readonly departed: ReadonlySet<string>
  readonly hub: NodeRemains
  readonly organisations: readonly NodeRemains[]
  /** False if something was still to do when the time was up. */
  readonly finished: boolean
  readonly unfinished: readonly string[]
}

export interface Violation {
  readonly checker: string
  readonly message: string
}

/** State of a stream, undefined if it has no events. */
export function stateOf(node: NodeRemains, stream: string): unknown {
  return node.tables.streams.get(stream)?.state
}

export function recordsOf(node: NodeRemains, collection: string): ReadonlyMap<string, unknown> {
  return node.tables.collections.get(collection) ?? new Map()
}
