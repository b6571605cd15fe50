import { describe, expect, it } from 'vitest'
import { faultsOf } from './check.ts'
import { historyOf, worldOf } from './history.ts'
import { lie } from './lies.ts'

const SEEDS = 2000
/** Took 3.5 minutes; longer where others compute too. */
const TIMEOUT_MS = 45 * 60_000

describe('thousands of histories of secure aggregation', () => {
  it(
    'end with the exact sum, or abandoned with nothing revealed, with dropouts and returns in every phase',
    () => {
      const ends = new Map<string, number>()
      let returned = 0
      for (let seed = 0; seed < SEEDS; seed++) {
        const world = worldOf(historyOf(`slow-${seed}`)).run()
        expect({ seed, faults: faultsOf(world, { replay: seed % 10 === 0 }) }).toEqual({ seed, faults: [] })
        const { hub } = world
        const end = hub.phase === 'abandoned' ? hub.reason : dropouts(hub)
        ends.set(end, (ends.get(end) ?? 0) + 1)
        if (world.refused.some(({ error }) => error.code === 'round-closed')) returned++
      }
      for (const end of ['too-few-keys', 'too-few-shares', 'too-few-vectors', 'too-few-signatures', 'too-few-reveals'])
        expect({ end, count: ends.get(end) ?? 0 }).not.toEqual({ end, count: 0 })
      for (const end of ['nobody', 'at keys', 'at shares', 'at vectors', 'at signatures', 'at reveals'])
        expect({ end, count: ends.get(end) ?? 0 }).not.toEqual({ end, count: 0 })
      expect(returned).toBeGreaterThan(SEEDS / 50)
    },
    TIMEOUT_MS,
  )

  it(
    'with a lying hub give it no sum of few, and of nobody both secrets',
    () => {
      for (let seed = 0; seed < SEEDS / 2; seed++)
        expect({ seed, faults: lie(`slow-${seed}`).faults }).toEqual({ seed, faults: [] })
    },
    TIMEOUT_MS,
  )
})

/** The first phase in which somebody was missing. */
function dropouts(hub: { readonly phase: string } & object): string {
  if (hub.phase !== 'done' || !('facts' in hub)) return hub.phase
  const facts = hub.facts as Record<'invited' | 'advertised' | 'shared' | 'signatures' | 'revealed', number> & {
    readonly survivors: readonly unknown[]
  }
  if (facts.advertised < facts.invited) return 'at keys'
  if (facts.shared < facts.advertised) return 'at shares'
  if (facts.survivors.length < facts.shared) return 'at vectors'
  if (facts.signatures < facts.survivors.length) return 'at signatures'
  return facts.revealed < facts.signatures ? 'at reveals' : 'nobody'
}
