/** Liars who lie for themselves: each sends what does not need the others. */

import type { Situation, UpdateAttack } from './attack.ts'
import { norm } from './vectors.ts'

/** -scale * the update that was learned: Li et al. 2019 (RSA), section 5; Damaskinos et al. 2018. */
export function signFlip(scale = 1): UpdateAttack {
  return {
    kind: 'update',
    name: 'sign flip',
    source: 'Li, Xu, Chen, Giannakis, Ling 2019 (RSA), section 5',
    updates: ({ own }) => own.map((update) => update.map((value) => -scale * value)),
  }
}

/** N(0, deviation^2) in each coordinate: Blanchard et al. 2017, section 6 ("Gaussian", with 200). */
export function gaussian(deviation: number): UpdateAttack {
  return {
    kind: 'update',
    name: 'Gaussian',
    source: 'Blanchard, El Mhamdi, Guerraoui, Stainer 2017, section 6',
    updates: ({ own, random }) => own.map((update) => update.map(() => deviation * random.normal())),
  }
}

/**
 * Learns nothing and takes the model: sends what the last round changed, disguised by noise of `disguise` times its length
 * (Lin, Du, Liu 2019, "delta weights attack"; Fraboni, Vidal, Lorenzi 2021, section 3.3). In the first round, nothing.
 */
export function freeRider(disguise = 0.1): UpdateAttack {
  return {
    kind: 'update',
    name: 'free-rider',
    source: 'Lin, Du, Liu 2019, section 4; Fraboni, Vidal, Lorenzi 2021, section 3.3',
    updates({ own, previous, random }) {
      if (previous === null) return own.map((update) => new Float32Array(update.length))
      const deviation = (disguise * norm(previous)) / Math.sqrt(previous.length)
      return own.map(() => previous.map((value) => value + deviation * random.normal()))
    },
  }
}

/** What it learned in the first round, again and again: a stale update under a fresh signature. */
export function replay(): UpdateAttack {
  return {
    kind: 'update',
    name: 'replayed update',
    source: 'the update of the first round, sent in every round',
    updates: ({ first }: Situation) => first.map((update) => Float32Array.from(update)),
  }
}
