import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../test/kernels.ts'
import { sha256Hex } from '../../base/hash.ts'
import { prng } from '../../base/prng.ts'
import { createModel } from '../model.ts'
import { createAttribution, type RowPart, UsualRow } from './attribution.ts'
import { OpenContacts } from './contacts.ts'
import { Calibration, encodeThreshold, nextFloat32, parseThreshold, rateOf, type ThresholdFile } from './threshold.ts'
import { TopScores } from './top-scores.ts'

const DAY = 86_400
const refusedAs = (code: string): unknown => expect.objectContaining({ code })
const score = fc.float({ noNaN: true, noDefaultInfinity: true, min: -50, max: 50 })

describe('the largest scores', () => {
  it('are those of the sorted list as far as they are guaranteed, whatever the order and the capacity', () => {
    fc.assert(
      fc.property(fc.array(score, { maxLength: 200 }), fc.integer({ min: 2, max: 40 }), (scores, capacity) => {
        const top = new TopScores(capacity)
        for (const one of scores) top.add(one)
        const sorted = Float32Array.from(scores).sort().reverse()
        expect(top.count).toBe(scores.length)
        expect(top.guaranteed).toBeGreaterThanOrEqual(Math.min(scores.length, capacity >> 1))
        for (let rank = 0; rank < top.guaranteed; rank++) expect(top.rank(rank) === sorted[rank]).toBe(true)
        expect(top.rank(scores.length)).toBeUndefined()
        if (top.guaranteed < top.count) expect(() => top.rank(top.guaranteed)).toThrow(refusedAs('invalid-request'))
      }),
    )
  })

  it('have no place for NaN', () => {
    expect(() => new TopScores(4).add(Number.NaN)).toThrow(refusedAs('not-finite'))
  })
})

describe('the threshold of so many false positives a day', () => {
  const days = 8
  const calibrated = (scores: readonly number[]): Calibration => {
    const calibration = new Calibration(0)
    scores.forEach((one, i) => calibration.add((i / (scores.length - 1)) * days * DAY, one))
    return calibration
  }

  it('would have raised so many at most on the data that it was chosen on, and one more step down would raise more', () => {
    const property = fc.property(
      fc.array(score, { minLength: 60, maxLength: 300 }),
      fc.double({ min: 0.05, max: 5, noNaN: true }),
      (given, perDay) => {
        const scores = given.map(Math.fround)
        const choice = calibrated(scores).choose(perDay)
        expect([choice.days, choice.warmUpSeconds]).toEqual([days - 1, DAY])
        const kept = scores.filter((_, i) => (i / (scores.length - 1)) * days * DAY >= DAY)
        const alerts = (threshold: number): number => kept.filter((one) => one >= threshold).length
        expect(choice.contacts).toBe(kept.length)
        expect(alerts(choice.threshold)).toBeLessThanOrEqual(perDay * choice.days)
        const below = Math.max(...kept.filter((one) => one < choice.threshold))
        expect(alerts(below)).toBeGreaterThan(Math.floor(perDay * choice.days))
      },
    )
    fc.assert(property)
  })

  it('lies above every score when not one alert fits into the data', () => {
    const { threshold } = calibrated(Array.from({ length: 100 }, (_, i) => i)).choose(0.1)
    expect(threshold).toBe(nextFloat32(99))
    expect(threshold).toBeGreaterThan(99)
  })

  it('is refused where the data is silent: no time covered, more alerts than contacts, rates that are none', () => {
    expect(() => new Calibration(5).choose(1)).toThrow(refusedAs('no-data'))
    const calibration = calibrated([1, 2, 3])
    expect(() => calibration.choose(1)).toThrow(refusedAs('invalid-request'))
    for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => calibration.choose(rate)).toThrow(refusedAs('invalid-request'))
  })

  it('leaves out the time in which everything was new: a day, an hour or nothing, as the data allows', () => {
    for (const [span, warmUp] of [
      [5 * DAY, DAY],
      [2 * DAY, 3600],
      [7200, 0],
    ] as const) {
      const calibration = new Calibration(0)
      for (let i = 0; i <= 100; i++) calibration.add((i / 100) * span, i === 0 ? 40 : i / 100)
      const { warmUpSeconds, threshold } = calibration.choose(0.01)
      expect(warmUpSeconds).toBe(warmUp)
      expect(threshold > 40).toBe(warmUp === 0)
    }
  })

  it('comes with thresholds of other rates, which tell how rare a score is', () => {
    const { rates } = calibrated(Array.from({ length: 2000 }, (_, i) => i)).choose(2)
    expect(rates.map(({ perDay }) => perDay)).toEqual([0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200])
    expect(rates.every(({ threshold }, i) => i === 0 || threshold < (rates[i - 1]?.threshold ?? 0))).toBe(true)
    expect([rateOf(rates, 1999), rateOf(rates, 1990), rateOf(rates, 0)]).toEqual([0.2, 2, undefined])
  })

  it('counts contacts that come late, and before the first that was read', () => {
    const calibration = new Calibration(DAY)
    for (let i = 0; i <= 10; i++) calibration.add(i * 3600, i)
    expect(calibration.choose(1).contacts).toBe(11)
  })
})

describe('the next float32', () => {
  it('is larger, and nothing lies between', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, max: 2 ** 100 }), (value) => {
        const next = nextFloat32(value)
        expect(next).toBeGreaterThan(value)
        const middle = Math.fround((value + next) / 2)
        expect(middle === value || middle === next).toBe(true)
      }),
    )
  })
})

describe('a threshold file', () => {
  const model = sha256Hex(Uint8Array.of(1))
  const file: ThresholdFile = {
    format: 'entente-threshold-1',
    model,
    objective: 'supervised',
    perDay: 10,
    threshold: 1.5,
    rates: [{ perDay: 10, threshold: 1.5 }],
    contacts: 100,
    days: 3,
    warmUpSeconds: 3600,
    rows: 1000,
    attackRows: 0,
    firstTime: '2026-01-01T00:00:00.000Z',
    lastTime: '2026-01-04T00:00:00.000Z',
    calibratedAt: '2026-01-05T00:00:00.000Z',
    localNetworks: ['10.0.0.0/8'],
  }

  it('is read back as it was written', () => expect(parseThreshold(encodeThreshold(file), model)).toEqual(file))

  it('is refused for another model, and when it is damaged', () => {
    expect(() => parseThreshold(encodeThreshold(file), sha256Hex(Uint8Array.of(2)))).toThrow(
      refusedAs('config-invalid'),
    )
    for (const text of [
      '',
      '{}',
      '[]',
      encodeThreshold(file).replace('1.5', '"1.5"'),
      encodeThreshold(file).slice(0, -5),
    ])
      expect(() => parseThreshold(text, model)).toThrow(refusedAs('config-invalid'))
  })
})

describe('contacts', () => {
  it('are one alert a minute for each pair, of their largest score, in whatever order rows come', () => {
    const closed: [number, number][] = []
    const contacts = new OpenContacts((score, minute) => closed.push([minute, score]))
    const first = [
      contacts.add(60, 'a', 'b', 1),
      contacts.add(125, 'a', 'b', 2),
      contacts.add(119, 'a', 'b', 3),
      contacts.add(61, 'b', 'a', 4),
      contacts.add(62, 'a', 'b', 0),
    ]
    expect(first).toEqual([true, true, false, true, false])
    contacts.finish()
    expect(closed).toEqual([
      [1, 3],
      [2, 2],
      [1, 4],
    ])
  })

  it('take bounded memory: the oldest is closed', () => {
    const closed: number[] = []
    const contacts = new OpenContacts((score) => closed.push(score), 2)
    for (const [i, source] of ['a', 'b', 'c', 'a'].entries()) expect(contacts.add(0, source, 'x', i)).toBe(true)
    expect(closed).toEqual([0, 1])
  })
})

describe('an attribution', () => {
  const width = 40
  const model = createModel({ kind: 'mlp', inputs: width, hidden: [16, 8] }, loadKernels())
  const parameters = model.initialise('attribution')
  const scoreOf = (features: Float32Array, rows: number): Float32Array => model.score(parameters, features, rows)
  const parts: RowPart[] = Array.from({ length: width }, (_, column) => ({ name: `f${column}`, columns: [column] }))
  const explain = createAttribution(width, parts, scoreOf)
  const random = prng('attribution')
  const row = (): Float32Array => Float32Array.from({ length: width }, () => random.uniform() * 6 - 3)

  it('names first the feature whose absence lowers the score most, and every share is that fall', () => {
    for (let i = 0; i < 20; i++) {
      const [given, usual] = [row(), row()]
      const { score, usualScore, shares } = explain(given, usual)
      const [whole = 0] = scoreOf(given, 1)
      const falls = parts.map(({ columns: [column = 0] }) => {
        const without = given.slice()
        without[column] = usual[column] ?? 0
        return whole - (scoreOf(without, 1)[0] ?? 0)
      })
      expect([score, usualScore]).toEqual([whole, scoreOf(usual, 1)[0]])
      expect(shares[0]?.share).toBe(Math.max(...falls))
      for (const { part, share } of shares) expect(share).toBe(falls[part.columns[0] ?? 0])
    }
  })

  it('of a linear model is complete: the shares add up to what the row has over the usual one', () => {
    const weights = row()
    const linear = (features: Float32Array, rows: number): Float32Array =>
      Float32Array.from({ length: rows }, (_, r) =>
        weights.reduce((sum, weight, i) => sum + weight * (features[r * width + i] ?? 0), 0),
      )
    const { score, usualScore, shares } = createAttribution(width, parts, linear)(row(), row())
    expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(score - usualScore, 3)
  })

  it('gives a part that is as usual no share, and is the same every time', () => {
    const [given, usual] = [row(), row()]
    given[7] = usual[7] ?? 0
    const first = explain(given, usual)
    expect(first.shares.find(({ part }) => part.name === 'f7')?.share).toBe(0)
    expect(explain(given, usual)).toEqual(first)
  })

  it('switches the columns of a part off together, and takes more parts than fit into a batch', () => {
    const many = Array.from({ length: 1500 }, (_, i) => ({ name: `${i}`, columns: [i % width, (i * 7) % width] }))
    const [given, usual] = [row(), row()]
    const { shares } = createAttribution(width, many, scoreOf)(given, usual)
    const without = given.slice()
    for (const column of [1499 % width, (1499 * 7) % width]) without[column] = usual[column] ?? 0
    const share = shares.find(({ part }) => part.name === '1499')?.share ?? Number.NaN
    expect(share).toBeCloseTo((scoreOf(given, 1)[0] ?? 0) - (scoreOf(without, 1)[0] ?? 0), 5)
  })

  it('refuses parts and rows that do not fit', () => {
    expect(() => createAttribution(2, [{ name: 'x', columns: [2] }], scoreOf)).toThrow(refusedAs('wrong-shape'))
    expect(() => explain(new Float32Array(3), new Float32Array(3))).toThrow(refusedAs('wrong-shape'))
  })
})

describe('the usual row', () => {
  it('is the mean of what was added, and zero before', () => {
    const usual = new UsualRow(2)
    expect(usual.mean()).toEqual(new Float32Array(2))
    usual.add(Float32Array.of(9, 1, 2), 1)
    usual.add(Float32Array.of(3, 6), 0)
    expect(usual.mean()).toEqual(Float32Array.of(2, 4))
  })
})
