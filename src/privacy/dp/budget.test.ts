import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BudgetEvent, budgetMachine, SPENDING } from './budget.ts'
import { PURPOSES_MAX } from './budget-limits.ts'
import { type BudgetState, epsilonUsed, type Limit } from './budget-state.ts'
import type { Cost } from './cost.ts'
import { concentratedCurve, epsilonOfCurve } from './rdp.ts'
import { statements } from './statement.ts'

const LIMIT: Limit = { epsilon: 3, delta: 1e-5 }
const cost = (rho: number, delta = 0): Cost => ({ kind: 'concentrated', rho, delta })

/** Runs events; a refused one leaves the state as it was, as drive does. */
function run(
  events: readonly BudgetEvent[],
  from?: BudgetState,
): { state: BudgetState; refused: string[]; spent: string[] } {
  const refused: string[] = []
  const spent: string[] = []
  let state = from ?? budgetMachine.initial('privacy-budget')
  for (const event of events)
    try {
      const step = budgetMachine.step(state, event)
      state = step.state
      spent.push(...(step.records ?? []).filter(({ collection }) => collection === SPENDING).map(({ key }) => key))
    } catch (error) {
      refused.push((error as { code: string }).code)
    }
  return { state, refused, spent }
}

const limitSet = (limit: Limit | null = LIMIT, purpose: string | null = null): BudgetEvent => ({
  type: 'limit-set',
  dataset: 'own',
  purpose,
  limit,
  at: 0,
})
const reserve = (id: string, rho: number, purpose = 'training', delta = 0): BudgetEvent => ({
  type: 'reserve',
  id,
  dataset: 'own',
  purpose,
  cost: cost(rho, delta),
  at: 0,
})
const spend = (id: string, at = 0): BudgetEvent => ({ type: 'spend', id, at })
const release = (id: string, at = 0): BudgetEvent => ({ type: 'release', id, at })

/** The largest rho within LIMIT, about. */
const RHO = 0.16

const anEvent: fc.Arbitrary<BudgetEvent> = fc
  .record({
    type: fc.constantFrom('reserve', 'reserve', 'spend', 'release', 'limit-set'),
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    purpose: fc.constantFrom('training', 'tuning'),
    rho: fc.double({ min: 0, max: 0.1, noNaN: true }),
    delta: fc.double({ min: 0, max: 4e-6, noNaN: true }),
    epsilon: fc.double({ min: 0.5, max: 3, noNaN: true }),
    at: fc.integer({ min: -1e12, max: 1e12 }),
  })
  .map(({ type, id, purpose, rho, delta, epsilon, at }): BudgetEvent => {
    if (type === 'reserve') return { type, id, dataset: 'own', purpose, cost: cost(rho, delta), at }
    if (type === 'limit-set') return { type, dataset: 'own', purpose: 'tuning', limit: { epsilon, delta: 1e-5 }, at }
    return { type: type as 'spend' | 'release', id, at }
  })

describe('the privacy budget', () => {
  it('is never exceeded, whatever comes in whatever order at whatever time (P4)', () => {
    fc.assert(
      fc.property(fc.array(anEvent, { maxLength: 60 }), (events) => {
        let state = run([limitSet()]).state
        const released = new Map<string, Cost>()
        for (const event of events) {
          const before = state
          const step = run([event], state)
          state = step.state
          for (const id of step.spent) released.set(id, before.reserved[id]?.cost ?? cost(Number.POSITIVE_INFINITY))
        }
        // Counted anew from what was released, by another path than the machine's own sums.
        const costs = [...released.values()]
        const rho = costs.reduce((sum, each) => sum + (each.kind === 'concentrated' ? each.rho : 0), 0)
        const delta = costs.reduce((sum, each) => sum + each.delta, 0)
        if (costs.length > 0)
          expect(epsilonOfCurve(concentratedCurve(rho), LIMIT.delta - delta)).toBeLessThanOrEqual(
            LIMIT.epsilon * (1 + 1e-9),
          )
        expect(statements(state)[0]?.total_used).toBeLessThanOrEqual(LIMIT.epsilon)
      }),
      { numRuns: 300 },
    )
  })

  it('does not look at the clock: other times, the same decisions', () => {
    fc.assert(
      fc.property(fc.array(anEvent, { maxLength: 40 }), fc.integer(), (events, shift) => {
        const moved = events.map((event) => ({ ...event, at: event.at * -1 + shift }))
        expect(run([limitSet(), ...moved]).state).toEqual(run([limitSet(), ...events]).state)
      }),
    )
  })

  it('composes what different models take: two of them cost less than their epsilons added, and more than either', () => {
    const { state } = run([
      limitSet(),
      reserve('model-a', 0.05),
      spend('model-a'),
      reserve('model-b', 0.05),
      spend('model-b'),
    ])
    const [own] = statements(state)
    const single = epsilonOfCurve(concentratedCurve(0.05), LIMIT.delta)
    expect(own?.total_used).toBeGreaterThan(single)
    expect(own?.total_used).toBeLessThan(2 * single)
    expect(own?.total_used).toBe(epsilonOfCurve(concentratedCurve(0.1), LIMIT.delta))
    expect(own?.remaining_epsilon).toBeCloseTo(LIMIT.epsilon - (own?.total_used ?? 0), 12)
  })

  it('refuses what would exceed it with budget-exceeded, says by how much, and stays as it was', () => {
    const { state } = run([limitSet(), reserve('a', RHO), spend('a')])
    expect(() => budgetMachine.step(state, reserve('b', RHO))).toThrow(
      expect.objectContaining({ code: 'budget-exceeded', message: expect.stringContaining('epsilon 3') as string }),
    )
    expect(run([reserve('b', RHO)], state).state).toEqual(state)
  })

  it('counts what is reserved, so that two rounds under way cannot both take the last of it', () => {
    expect(run([limitSet(), reserve('a', RHO), reserve('b', RHO), spend('a'), spend('b')]).refused).toEqual([
      'budget-exceeded',
      'budget-exceeded',
    ])
  })

  it('is given back by release, and never after spending', () => {
    const { state, refused } = run([
      limitSet(),
      reserve('a', RHO),
      release('a'),
      reserve('b', RHO),
      spend('b'),
      release('b'),
    ])
    expect(refused).toEqual(['invalid-request'])
    expect(statements(state)[0]?.total_used).toBeGreaterThan(2.4)
  })

  it('counts an id once, and refuses it for another cost', () => {
    const once = run([limitSet(), reserve('a', 0.05), spend('a')]).state
    const often = run([limitSet(), reserve('a', 0.05), reserve('a', 0.05), spend('a'), spend('a'), reserve('a', 0.05)])
    expect(often.state).toEqual(once)
    expect(often.refused).toEqual([])
    expect(run([limitSet(), reserve('a', 0.05), reserve('a', 0.01)]).refused).toEqual(['invalid-request'])
  })

  it('has a part for each purpose, inside the whole', () => {
    const small: Limit = { epsilon: 1, delta: 1e-5 }
    const { state, refused } = run([
      limitSet(),
      limitSet(small, 'tuning'),
      reserve('a', 0.05, 'tuning'),
      reserve('b', 0.01, 'tuning'),
      reserve('c', 0.1, 'training'),
      reserve('d', 0.14, 'training'),
    ])
    expect(refused).toEqual(['budget-exceeded', 'budget-exceeded'])
    expect(Object.keys(state.reserved)).toEqual(['b', 'c'])
    expect(statements(state)[0]?.purposes.map(({ purpose, limit }) => [purpose, limit])).toEqual([
      ['training', null],
      ['tuning', small],
    ])
  })

  it('names the purpose that is over, and what its administrator would have to change', () => {
    const { state } = run([limitSet(), limitSet({ epsilon: 1, delta: 1e-5 }, 'tuning'), reserve('a', 0.01, 'tuning')])
    expect(() => budgetMachine.step(state, reserve('b', 0.05, 'tuning'))).toThrow(
      expect.objectContaining({
        code: 'budget-exceeded',
        message: expect.stringMatching(
          /purpose "tuning" is epsilon 1 .*: ask for less, or have privacyBudget\.purposes\.tuning/,
        ) as string,
      }),
    )
    expect(() => budgetMachine.step(state, reserve('b', 2 * RHO))).toThrow(
      /data set "own" is epsilon 3 .*have privacyBudget raised/,
    )
  })

  it('holds a purpose to its limit although the whole would allow more, whatever comes in whatever order (P4)', () => {
    fc.assert(
      fc.property(fc.array(anEvent, { maxLength: 60 }), (events) => {
        let state = run([limitSet()]).state
        for (const event of events) {
          const before = state
          state = run([event], state).state
          const taken = (of: BudgetState) => Object.keys(of.reserved).length
          if (event.type !== 'reserve' || taken(state) === taken(before)) continue
          const part = statements(state)[0]?.purposes.find(({ purpose }) => purpose === event.purpose)
          expect(part?.total_used).toBeLessThanOrEqual(part?.limit?.epsilon ?? LIMIT.epsilon)
        }
        const [own] = statements(state)
        for (const part of own?.purposes ?? [])
          expect(part.remaining_epsilon).toBeLessThanOrEqual(own?.remaining_epsilon ?? 0)
      }),
      { numRuns: 300 },
    )
  })

  it('without a limit of its own leaves a purpose what all others left of the whole', () => {
    const { state } = run([limitSet(), reserve('a', 0.1), spend('a'), reserve('b', 0.01, 'tuning')])
    const [own] = statements(state)
    expect(own?.purposes.map(({ remaining_epsilon }) => remaining_epsilon)).toEqual([
      own?.remaining_epsilon,
      own?.remaining_epsilon,
    ])
  })

  it('remembers what a purpose took when its limit is taken away, and holds it to a new one', () => {
    const { state } = run([
      limitSet(),
      limitSet({ epsilon: 2, delta: 1e-5 }, 'tuning'),
      reserve('a', 0.05, 'tuning'),
      spend('a'),
      limitSet(null, 'tuning'),
    ])
    const [tuning] = statements(state)[0]?.purposes ?? []
    expect(tuning).toMatchObject({ purpose: 'tuning', limit: null })
    expect(tuning?.total_used).toBeGreaterThan(1)
    const lower = run([limitSet({ epsilon: 1, delta: 1e-5 }, 'tuning'), reserve('b', 1e-6, 'tuning')], state)
    expect(lower.refused).toEqual(['budget-exceeded'])
    expect(run([limitSet(), limitSet(LIMIT, 'idle'), limitSet(null, 'idle')]).state).toEqual(run([limitSet()]).state)
    expect(run([limitSet(null)]).refused).toEqual(['invalid-request'])
  })

  it('does not grow with every purpose that a hub invents; those with limits have their place', () => {
    const many = Array.from({ length: PURPOSES_MAX + 1 }, (_, i) => reserve(`r${i}`, 1e-6, `p${i}`))
    const { state, refused } = run([limitSet(), ...many])
    expect(refused).toEqual(['budget-exceeded'])
    expect(run([reserve('again', 1e-6, 'p0')], state).refused).toEqual([])
    expect(run([limitSet(LIMIT, 'new'), reserve('again', 1e-6, 'new')], state).refused).toEqual([])
  })

  it('takes nothing back when the limit is lowered, and allows nothing new', () => {
    const { state } = run([limitSet(), reserve('a', RHO), spend('a'), limitSet({ epsilon: 1, delta: 1e-5 })])
    expect(statements(state)[0]).toMatchObject({ remaining_epsilon: 0, limit: { epsilon: 1 } })
    expect(run([reserve('b', 1e-6)], state).refused).toEqual(['budget-exceeded'])
  })

  it('counts delta that is spent directly, down to nothing', () => {
    expect(run([limitSet(), reserve('a', 0.001, 'training', 1e-5)]).refused).toEqual(['budget-exceeded'])
    const { state } = run([limitSet(), reserve('a', 0.001, 'training', 4e-6)])
    expect(statements(state)[0]?.remaining_delta).toBeCloseTo(6e-6, 12)
    expect(epsilonUsed({ curve: concentratedCurve(1), delta: 1e-5 }, LIMIT)).toBe(Number.POSITIVE_INFINITY)
  })

  it('without a limit allows nothing, also for names that every object has', () => {
    expect(run([reserve('a', 0.001)]).refused).toEqual(['budget-exceeded'])
    const { refused } = run([
      limitSet(),
      { ...reserve('a', 0.001), dataset: 'constructor' } as BudgetEvent,
      spend('toString'),
    ])
    expect(refused).toEqual(['budget-exceeded', 'budget-exceeded'])
  })

  it('refuses costs and limits that are no numbers', () => {
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, -1]
    for (const value of bad) expect(run([limitSet(), reserve('a', value)]).refused).toHaveLength(1)
    for (const value of bad) expect(run([limitSet(), reserve('a', 0.1, 'training', value)]).refused).toHaveLength(1)
    for (const epsilon of [...bad, 0]) expect(run([limitSet({ epsilon, delta: 1e-5 })]).refused).toHaveLength(1)
  })
})
