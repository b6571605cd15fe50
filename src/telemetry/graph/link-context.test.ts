import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prng, shuffle } from '../../base/prng.ts'
import { FEATURE_COUNT, FEATURE_NAMES } from '../features.ts'
import { ofGap } from '../features/transform.ts'
import { hostKey } from './host-key.ts'
import { contextWidth, KEPT_WIDTH, LINK_COLUMNS, LINK_WIDTH, PAIR_WIDTH } from './layout.ts'
import { createLinkContext } from './link-context.ts'

interface Contact {
  readonly source: string
  readonly destination: string
  readonly time: number
  readonly value: number
}

const LINKS = 3
const WIDTH = contextWidth(LINKS)

/** Contexts of all contacts, each taken before the contact is learnt. */
function contextsOf(contacts: readonly Contact[]): Float32Array[] {
  const context = createLinkContext(LINKS)
  const features = new Float32Array(FEATURE_COUNT)
  return contacts.map(({ source, destination, time, value }) => {
    const out = new Float32Array(WIDTH)
    const [from, to] = [hostKey(source), hostKey(destination)]
    context.context(from, to, time, out, 0)
    features.fill(value)
    context.push(from, to, time, features, 0)
    return out
  })
}

const contact = (source: string, destination: string, time: number, value = 0): Contact => ({
  source,
  destination,
  time,
  value,
})

/** Column of a link of an end of the last contact. */
function column(context: Float32Array, end: 0 | 1, link: number, name: string): number {
  return context[PAIR_WIDTH + (end * LINKS + link) * LINK_WIDTH + LINK_COLUMNS.indexOf(name)] as number
}

describe('the context of an interaction', () => {
  it('holds the latest links of both ends, the latest first, with age, direction and what they kept', () => {
    const context = contextsOf([
      contact('a', 'b', 0, 0.5),
      contact('c', 'a', 10, 1),
      contact('a', 'd', 20),
      contact('a', 'b', 30, 2),
      contact('a', 'b', 100),
    ]).at(-1) as Float32Array
    const ages = [0, 1, 2].map((link) => column(context, 0, link, 'age'))
    expect(ages).toEqual([70, 80, 90])
    expect(column(context, 0, 0, 'gap')).toBeCloseTo(ofGap(70), 6)
    expect([0, 1, 2].map((link) => column(context, 0, link, 'direction'))).toEqual([1, 1, -1])
    expect([0, 1, 2].map((link) => column(context, 0, link, 'isOtherEnd'))).toEqual([1, 0, 0])
    expect([0, 1, 2].map((link) => column(context, 0, link, 'newPair'))).toEqual([2, 0, 1])
    // The destination has two links, both with the source.
    expect([0, 1, 2].map((link) => column(context, 1, link, 'age'))).toEqual([70, 100, -1])
    expect([0, 1].map((link) => column(context, 1, link, 'peerInOwn'))).toEqual([1, 1])
    expect([0, 1].map((link) => column(context, 1, link, 'direction'))).toEqual([-1, -1])
  })

  it('tells how the peers of both ends overlap', () => {
    const context = contextsOf([
      contact('a', 'x', 0),
      contact('a', 'y', 1),
      contact('b', 'x', 2),
      contact('b', 'a', 3),
      contact('a', 'b', 4),
    ]).at(-1) as Float32Array
    // a: x, y, b; b: x, a.
    const expected = [1 / 3, 1 / 2, 1 / 3, 1 / 2, 1, 1, 1, 2 / 3]
    expect([...context.subarray(0, PAIR_WIDTH)]).toEqual(expected.map(Math.fround))
    expect(column(context, 0, 2, 'peerInOther')).toBe(Math.fround(1 / 2))
  })

  it('of unknown hosts has no link, and clocks that go back make no negative age', () => {
    const [first, second] = contextsOf([contact('a', 'b', 100), contact('a', 'b', 50)]) as [Float32Array, Float32Array]
    expect([...first.subarray(0, PAIR_WIDTH)]).toEqual(new Array(PAIR_WIDTH).fill(0))
    for (const end of [0, 1] as const)
      for (let link = 0; link < LINKS; link++) expect(column(first, end, link, 'age')).toBe(-1)
    expect(column(second, 0, 0, 'age')).toBe(0)
  })

  it('of a pair that never met can be asked for, and learns nothing', () => {
    const context = createLinkContext(LINKS)
    const features = new Float32Array(FEATURE_COUNT)
    const [a, b, c] = [hostKey('a'), hostKey('b'), hostKey('c')]
    context.push(a, b, 0, features, 0)
    const [before, after] = [new Float32Array(WIDTH), new Float32Array(WIDTH)]
    context.context(a, b, 5, before, 0)
    context.context(c, b, 5, new Float32Array(WIDTH), 0)
    context.context(a, b, 5, after, 0)
    expect(after).toEqual(before)
  })

  it('does not depend on anything later: a cut or shuffled future leaves the same bits', () => {
    const host = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const contacts = fc.array(
      fc.record({
        source: host,
        destination: host,
        time: fc.nat(1000),
        value: fc.double({ min: -1, max: 1, noNaN: true }),
      }),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(contacts, fc.nat(40), fc.nat(), (all, at, seed) => {
        const sorted = all.toSorted((x, y) => x.time - y.time)
        const past = sorted.slice(0, at)
        const future = Uint32Array.from(sorted.slice(at), (_, i) => i)
        shuffle(future, prng(String(seed)))
        const shuffled = [...past, ...Array.from(future, (i) => sorted[at + i] as Contact)]
        const [whole, cut, other] = [sorted, past, shuffled].map((of) => contextsOf(of).slice(0, at))
        expect(cut).toEqual(whole)
        expect(other).toEqual(whole)
      }),
    )
  })

  it('keeps within its table when more hosts appear than it holds', () => {
    const context = createLinkContext(LINKS)
    const features = new Float32Array(FEATURE_COUNT)
    for (let i = 0; i < 100_000; i++) context.push(hostKey(`host ${i}`), hostKey('hub'), i, features, 0)
    const out = new Float32Array(WIDTH)
    context.context(hostKey('host 99999'), hostKey('host 0'), 100_000, out, 0)
    expect(column(out, 0, 0, 'age')).toBe(1)
    expect(column(out, 1, 0, 'age')).toBe(-1)
  })
})

it('the columns that a link keeps are features that every data set has', () => {
  expect(LINK_WIDTH - KEPT_WIDTH).toBe(LINK_COLUMNS.indexOf('peerInOther') + 1)
  for (const name of ['newPair', 'pairGap', 'failed', 'bytesOut']) expect(FEATURE_NAMES).toContain(name)
})
