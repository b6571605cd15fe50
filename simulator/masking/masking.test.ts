import { describe, expect, it } from 'vitest'
import { faultsOf } from './check.ts'
import { historyOf, worldOf } from './history.ts'
import { lie } from './lies.ts'

describe('histories of secure aggregation', () => {
  it('end with the exact sum, or abandoned with nothing revealed: 60 seeds', () => {
    const ends = new Set<string>()
    for (let seed = 0; seed < 60; seed++) {
      const world = worldOf(historyOf(`${seed}`)).run()
      expect({ seed, faults: faultsOf(world, { replay: seed % 10 === 0 }) }).toEqual({ seed, faults: [] })
      ends.add(world.hub.phase)
    }
    expect(ends).toEqual(new Set(['done', 'abandoned']))
  })

  it('with a hub that shows two truths give it no sum of few, and of nobody both secrets: 60 seeds', () => {
    let taken = 0
    for (let seed = 0; seed < 60; seed++) {
      const { faults, revealed } = lie(`${seed}`)
      expect({ seed, faults }).toEqual({ seed, faults: [] })
      taken += revealed > 0 ? 1 : 0
    }
    // Some lies are consistent enough to be answered: then what comes out is one sum of enough.
    expect(taken).toBeGreaterThan(0)
  })
})
