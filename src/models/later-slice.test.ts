import { describe, expect, it } from 'vitest'
import { KIND_ATTACK, KIND_OTHERS, KIND_STEALTHY, type LaterSlice, measure, poolSlices } from './later-slice.ts'

const flood = KIND_ATTACK
const stealthy = KIND_ATTACK | KIND_STEALTHY
const others = stealthy | KIND_OTHERS
const slice = (kinds: number[], triples: number[]): LaterSlice => ({
  kinds: Uint8Array.from(kinds),
  triples: Uint32Array.from(triples),
  tripleCount: Math.max(...triples) + 1,
})

describe('figures of a later slice', () => {
  it('leave floods out of the stealthy ones, and benign rows of neither', () => {
    const metrics = measure(
      slice([0, 0, flood, flood, stealthy], [0, 1, 2, 3, 4]),
      Float32Array.of(0.2, 0.6, 0.9, 0.9, 0.4),
    )
    expect(metrics.auc).toBeCloseTo(5 / 6, 15)
    expect(metrics.stealthyAuc).toBe(0.5)
    expect(metrics.stealthyAp).toBe(0.5)
    expect(metrics.othersRecall).toBeNull()
  })

  it('count a triple once, as an attack if any of its rows is, with its highest score', () => {
    const kinds = [0, 0, 0, stealthy, stealthy, stealthy, 0]
    const metrics = measure(slice(kinds, [0, 0, 1, 2, 2, 2, 2]), Float32Array.of(0.1, 0.5, 0.2, 0.1, 0.3, 0.1, 0.1))
    expect(metrics.unique.auc).toBe(0.5)
    expect(metrics.unique.ap).toBe(0.5)
  })

  it('take the recall of others’ families at the threshold of one benign row in a hundred', () => {
    const benign = Array.from({ length: 200 }, () => 0)
    const scores = Float32Array.from([...benign.map((_, i) => i), 500, 196.5, 198.5, 600])
    const kinds = [...benign, others, others, others, stealthy]
    // Two of 200 may pass: the attack at 196.5 lies below the third.
    expect(measure(slice(kinds, [...kinds.keys()]), scores).othersRecall).toBeCloseTo(2 / 3, 15)
  })

  it('are null where a class is missing', () => {
    const nothing = { auc: null, ap: null, stealthyAuc: null, stealthyAp: null, othersRecall: null }
    expect(measure(slice([0, 0], [0, 1]), Float32Array.of(1, 2))).toEqual({ ...nothing, unique: nothing })
    expect(
      measure({ kinds: new Uint8Array(0), triples: new Uint32Array(0), tripleCount: 0 }, new Float32Array(0)).auc,
    ).toBeNull()
  })

  it('pool organisations without joining their triples', () => {
    const pooled = poolSlices([slice([0, flood], [0, 0]), slice([stealthy], [0])])
    expect([...pooled.triples]).toEqual([0, 0, 1])
    expect(pooled.tripleCount).toBe(2)
    expect([...pooled.kinds]).toEqual([0, flood, stealthy])
  })
})
