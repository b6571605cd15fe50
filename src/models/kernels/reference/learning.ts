/** Loss and optimisers in float64. */

import { sigmoidOf } from './activations.ts'
import type { LearningOps } from './ops.ts'
import { at, build, sum } from './vectors.ts'

const softplusOf = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

export const learning: LearningOps = {
  logisticLoss(logits, labels, weights, scale) {
    const loss = sum(logits.length, (i) => at(weights, i) * (softplusOf(at(logits, i)) - at(labels, i) * at(logits, i)))
    const slope = (i: number): number => at(weights, i) * (sigmoidOf(at(logits, i)) - at(labels, i)) * scale
    return { loss, gradient: build(logits.length, slope) }
  },
  adam({ p, m, v, g, rate, beta1, beta2, epsilon, scale }) {
    const first = build(p.length, (i) => at(m, i) * beta1 + at(g, i) * (1 - beta1))
    const second = build(p.length, (i) => at(v, i) * beta2 + at(g, i) ** 2 * (1 - beta2))
    const step = (i: number): number => (at(first, i) * rate) / (Math.sqrt(at(second, i)) * scale + epsilon)
    return { p: build(p.length, (i) => at(p, i) - step(i)), m: first, v: second }
  },
  sgd: (p, g, rate) => build(p.length, (i) => at(p, i) - rate * at(g, i)),
  proximal: (g, p, anchor, mu) => build(g.length, (i) => at(g, i) + mu * (at(p, i) - at(anchor, i))),
}
