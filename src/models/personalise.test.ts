import { describe, expect, it } from 'vitest'
import { levelOf, personalisedScores } from './personalise.ts'

const refusedAs = (code: string): unknown => expect.objectContaining({ code })
const opinion = (level: number, ...scores: number[]) => ({ level, scores: Float32Array.from(scores) })

describe('a personalised score', () => {
  it('is the higher opinion, each measured from its own level, whoever has it', () => {
    const [shared, own] = [opinion(1, -3, 2, 0.5), opinion(-2, 4, -2.5, -2)]
    expect([...personalisedScores(shared, own)]).toEqual([6, 1, 0])
    expect([...personalisedScores(own, shared)]).toEqual([6, 1, 0])
    expect([...shared.scores]).toEqual([-3, 2, 0.5])
  })

  it('is the shared opinion alone where an organisation has no model of its own', () => {
    expect([...personalisedScores(opinion(1, -3, 2))]).toEqual([-4, 1])
  })

  it('is no number where either is none, so that a damaged model is not hidden by the other', () => {
    const scores = personalisedScores(opinion(0, 1, Number.NaN), opinion(0, Number.NaN, 1))
    expect(scores.every(Number.isNaN)).toBe(true)
  })

  it('is refused for scores of different rows', () => {
    expect(() => personalisedScores(opinion(0, 1, 2), opinion(0, 1))).toThrow(refusedAs('wrong-shape'))
  })
})

describe('the level of a model', () => {
  it('is what 99 of 100 harmless rows stay below, in whatever order they come', () => {
    const scores = Float32Array.from({ length: 1000 }, (_, i) => (i * 7) % 1000)
    expect(levelOf(scores)).toBe(990)
    expect(scores[1]).toBe(7)
    expect(levelOf(Float32Array.of(5))).toBe(5)
  })

  it('needs a harmless row, and numbers', () => {
    expect(() => levelOf(new Float32Array())).toThrow(refusedAs('no-data'))
    expect(() => levelOf(Float32Array.of(1, Number.NaN))).toThrow(refusedAs('not-finite'))
  })
})
