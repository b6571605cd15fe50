import { describe, expect, it } from 'vitest'
import { prng } from '../../src/base/prng.ts'
import type { Situation } from './attack.ts'
import { alie, alieFactor, collusion, innerProduct, krumTakes, minMax } from './colluding.ts'
import { backdoor, labelFlip } from './data.ts'
import { normalDistribution, normalQuantile } from './normal-quantile.ts'
import { freeRider, gaussian, replay, signFlip } from './updates.ts'
import { along, deviationOf, meanOf, minus, norm } from './vectors.ts'

const of = (...values: number[]): Float32Array => Float32Array.from(values)

/** Honest: mean (2, 3), deviation (1, 1), largest distance sqrt(8). */
const SITUATION: Situation = {
  own: [of(1, -2)],
  honest: [of(1, 2), of(3, 4)],
  previous: of(3, 4),
  first: [of(7, 7)],
  random: prng('attacks'),
}
const sent = (attack: { updates(situation: Situation): Float32Array[] }, changes: Partial<Situation> = {}): number[] =>
  Array.from(attack.updates({ ...SITUATION, ...changes })[0] ?? [])
const near = (...values: number[]): unknown => values.map((value) => expect.closeTo(value, 5) as number)

describe('attacks by updates, against values worked out by hand', () => {
  it('sign flip sends what was learned, reversed and scaled', () => {
    expect(sent(signFlip())).toEqual([-1, 2])
    expect(sent(signFlip(3))).toEqual([-3, 6])
  })

  it('Gaussian sends noise of its deviation and nothing learned', () => {
    const [noise] = gaussian(5).updates({ ...SITUATION, own: [new Float32Array(20_000).fill(100)] })
    const list = Array.from(noise ?? [])
    const mean = list.reduce((sum, value) => sum + value, 0) / list.length
    expect(Math.abs(mean)).toBeLessThan(0.15)
    expect(Math.sqrt(list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length)).toBeCloseTo(5, 0)
  })

  it('free-rider sends the last change, disguised, and nothing where there is none', () => {
    expect(sent(freeRider(0))).toEqual([3, 4])
    expect(sent(freeRider(), { previous: null })).toEqual([0, 0])
    const away = norm(minus(sent(freeRider(0.1)), of(3, 4)))
    expect(away).toBeGreaterThan(0)
    expect(away).toBeLessThan(2.5)
  })

  it('replay sends the update of the first round', () => {
    expect(sent(replay())).toEqual([7, 7])
  })

  it('ALIE takes the z of its Algorithm 3: n = 50 with 24 liars needs 2 supporters of 26', () => {
    expect(alieFactor(50, 24)).toBeCloseTo(normalQuantile(24 / 26), 10)
    expect(alieFactor(50, 24)).toBeCloseTo(1.4261, 4)
    expect(alieFactor(15, 3)).toBeCloseTo(normalQuantile(7 / 12), 10)
    expect(alieFactor(2, 1)).toBe(0)
  })

  it('ALIE sends mean - z deviations', () => {
    expect(sent(alie(1.5))).toEqual(near(0.5, 1.5))
  })

  it('IPM sends the mean of the honest times -epsilon: the sum still points the wrong way', () => {
    expect(sent(innerProduct(0.5))).toEqual([-1, -1.5])
  })

  it('min-max goes as far from the mean as two honest ones lie apart, and not further', () => {
    const vector = Float32Array.from(sent(minMax()))
    const distances = SITUATION.honest.map((update) => norm(minus(vector, update)))
    expect(Math.max(...distances)).toBeCloseTo(Math.sqrt(8), 5)
    // |(1, 1) + g (-2, -3) / sqrt 13|^2 = 8 of the further one, (3, 4): g^2 + 2 (5 / sqrt 13) g + 2 = 8.
    const gamma = -5 / Math.sqrt(13) + Math.sqrt(25 / 13 + 6)
    expect(Array.from(vector)).toEqual(near(2 - (2 * gamma) / Math.sqrt(13), 3 - (3 * gamma) / Math.sqrt(13)))
  })

  it('min-max along the deviation keeps to the same distance', () => {
    const vector = Float32Array.from(sent(minMax('deviation')))
    expect(Array.from(vector)).toEqual(near(1, 2))
  })

  it('a colluding minority is taken by Krum, against the direction of the honest', () => {
    const random = prng('collusion')
    const honest = Array.from({ length: 8 }, () => Float32Array.from({ length: 20 }, () => 1 + random.normal()))
    const own = honest.slice(0, 3)
    const updates = collusion().updates({ ...SITUATION, own, honest })
    const moved = minus(updates[0] ?? [], meanOf(honest))
    expect(updates.map((one) => Array.from(one))).toEqual(own.map(() => Array.from(updates[0] ?? [])))
    expect(moved.every((value, i) => value * Math.sign(meanOf(honest)[i] ?? 0) < 0)).toBe(true)
    const isTaken = krumTakes(honest, own.length)
    expect(isTaken(updates[0] ?? of())).toBe(true)
    // Within a factor of two it is the furthest.
    expect(isTaken(along(meanOf(honest), 2, moved))).toBe(false)
  })
})

describe('attacks by data', () => {
  const data = { rows: 4, width: 2, features: of(1, 2, 3, 4, 5, 6, 7, 8), labels: Uint8Array.of(0, 1, 1, 0) }

  it('label flip calls attacks benign and the reverse, and leaves features and the original as they are', () => {
    const flipped = labelFlip().poison(data, prng('x'))
    expect([...flipped.labels]).toEqual([1, 0, 0, 1])
    expect(flipped.features).toBe(data.features)
    expect([...data.labels]).toEqual([0, 1, 1, 0])
  })

  it('a backdoor marks a share of the rows and calls them benign', () => {
    const attack = backdoor({ columns: [1], value: 9 }, { share: 1 })
    const poisoned = attack.poison(data, prng('x'))
    expect([...poisoned.features]).toEqual([1, 9, 3, 9, 5, 9, 7, 9])
    expect([...poisoned.labels]).toEqual([0, 0, 0, 0])
    expect([...data.features]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    const none = backdoor({ columns: [1], value: 9 }, { share: 0 }).poison(data, prng('x'))
    expect([...none.labels]).toEqual([...data.labels])
  })

  it('model replacement makes the liars weigh as much as all', () => {
    const trigger = { columns: [0], value: 1 }
    expect(backdoor(trigger).scale(3, 15)).toBe(5)
    expect(backdoor(trigger, { replace: false }).scale(3, 15)).toBe(1)
  })
})

describe('helpers', () => {
  it('normal quantiles are those of the tables', () => {
    for (const [p, z] of [
      [0.5, 0],
      [0.8413447460685429, 1],
      [0.975, 1.959963984540054],
      [0.9999, 3.719016485455709],
      [1e-6, -4.753424308822899],
    ] as const)
      expect(normalQuantile(p)).toBeCloseTo(z, 8)
    expect(normalDistribution(-6)).toBeCloseTo(9.865876450376981e-10, 18)
  })

  it('deviations divide by n', () => {
    expect([...deviationOf(SITUATION.honest)]).toEqual([1, 1])
  })
})
