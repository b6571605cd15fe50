/**
 * One seed, one history of a round of secure aggregation: how many take part, how slow the wire is, who is away from when
 * to when (in any phase, for a time or for ever), what is lost and what arrives twice.
 */

import type { OrganisationId } from '../../src/base/ids.ts'
import { type Prng, prng } from '../../src/base/prng.ts'
import { type Delivery, nameOf, World } from '../../src/privacy/masking/fixtures.ts'

interface Absence {
  readonly from: number
  readonly until: number
}

export interface History {
  readonly seed: string
  readonly count: number
  readonly absences: ReadonlyMap<OrganisationId, Absence>
  /** Of a message on its way; it is not sent again. */
  readonly loss: number
  readonly doubling: number
  /** Drawn neighbours instead of the complete graph. */
  readonly sparse: boolean
}

export function historyOf(seed: string): History {
  const random = prng(`masking-history/${seed}`)
  const sparse = random.below(40) === 0
  const count = sparse ? 20 + random.below(6) : 3 + random.below(8)
  const absences = new Map<OrganisationId, Absence>()
  const away = random.below(4) === 0 ? random.below(Math.ceil(count / 2)) : random.below(Math.ceil(count / 4) + 1)
  for (let i = 0; i < away; i++) absences.set(nameOf(random.below(count)), absence(random))
  return {
    seed,
    count,
    absences,
    loss: random.below(4) === 0 ? 0.02 : 0,
    doubling: random.below(3) === 0 ? 0.1 : 0,
    sparse,
  }
}

/** A phase lasts some 30 ms when nobody is missing, and a second when somebody is. */
function absence(random: Prng): Absence {
  const from = random.below(2) === 0 ? random.below(300) : random.below(4500)
  const until = random.below(3) === 0 ? Number.POSITIVE_INFINITY : from + 1 + random.below(2500)
  return { from, until }
}

export function worldOf({ seed, count, absences, loss, doubling, sparse }: History): World {
  const wire = prng(`masking-wire/${seed}`)
  return new World({
    seed,
    count,
    length: 5,
    ...(sparse ? { policy: { completeMax: 8, failureBits: 20, corruptShare: 0.05, dropoutShare: 0.05 } } : {}),
    delay: (random) => 1 + random.below(30),
    awayUntil: (name, at) => {
      const known = absences.get(name)
      return known !== undefined && at >= known.from && at < known.until ? known.until : 0
    },
    intercept: (delivery: Delivery) => {
      if (wire.uniform() < loss && delivery.from !== delivery.to) return []
      return wire.uniform() < doubling ? [delivery, delivery] : [delivery]
    },
  })
}
