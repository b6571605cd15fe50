import { expect, it } from 'vitest'
import { type Measured, measuredOf } from '../secagg/timing.ts'
import { missedOf, page } from './page.ts'
import type { Comparison, Floor, Results } from './results.ts'

const took = (wall: number, processor = wall): Measured => measuredOf([{ wall, processor }])

const comparison = (ours: number, peer: number | undefined, aim: number): Comparison => ({
  what: 'server',
  ours: [
    { name: '1 thread', figure: took(ours) },
    { name: '2 threads', figure: took(ours / 2, ours) },
  ],
  peers:
    peer === undefined
      ? []
      : [
          { name: 'slow', figure: took(9 * peer) },
          { name: 'fast', figure: took(peer) },
        ],
  aim,
})

const floor = (work: number): Floor => ({
  what: 'masks',
  work: took(9, work),
  floor: took(9, 10),
  by: 'processor',
  aim: 1.5,
})

function results(row: Comparison, above: Floor): Results {
  return {
    at: '2026-11-22T12:00:00.000Z',
    machine: 'a machine',
    load: [7.5, 9],
    versions: { flwr: '1' },
    seeds: 'none',
    secagg: [{ title: 'n=100', setting: 'all shares', rows: [row] }],
    floors: [above],
    phases: [],
    robust: null,
    seconds: 10,
    skipped: row.peers.length === 0 ? 'there is no Python' : null,
  }
}

it('counts the best of ours against the fastest peer', () => {
  expect(missedOf(results(comparison(10, 50, 10), floor(12)))).toEqual([])
  expect(page(results(comparison(10, 50, 10), floor(12)))).toContain('10.0x, aim 10x: met | 5.0x |')
})

it('says which aims were missed, in the list and where the figures are', () => {
  const missed = results(comparison(10, 49, 10), floor(16))
  expect(missedOf(missed)).toEqual([
    'n=100: server: 9.8x instead of 10x (4.9x by processor time)',
    'masks: 1.60x the floor instead of 1.5x',
  ])
  expect(page(missed).match(/\*\*missed\*\*/g)).toHaveLength(2)
})

it('misses no aim and claims none where the peers are not there', () => {
  const alone = results(comparison(10, undefined, 10), floor(12))
  expect(missedOf(alone)).toEqual([])
  expect(page(alone)).toContain('not measured')
  expect(page(alone)).toContain('there is no Python')
})

it('shows how busy the machine was', () => expect(page(results(comparison(10, 50, 10), floor(12)))).toContain('7.5'))
