import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prng, shuffle } from '../base/prng.ts'
import { createFeatureStream, FEATURE_COUNT, FEATURE_GROUPS, FEATURE_NAMES } from './features.ts'
import { SlotTable } from './features/slot-table.ts'
import type { Interaction } from './interaction.ts'

const address = fc.integer({ min: 0, max: 12 }).map((n) => (n < 10 ? `10.0.${n % 2}.${n}` : `198.51.100.${n}`))
const interaction = fc.record(
  {
    time: fc.double({ min: 0, max: 1e6, noNaN: true }),
    source: address,
    destination: address,
    kind: fc.constant('flow'),
    destinationPort: fc.constantFrom(22, 53, 443, 445, 50_000),
    protocol: fc.constantFrom('tcp', 'udp', 'icmp'),
    durationSeconds: fc.double({ min: 0, max: 1e9, noNaN: true }),
    sourceBytes: fc.double({ min: 0, max: 1e15, noNaN: true }),
    destinationBytes: fc.nat(),
    connectionState: fc.constantFrom('S0', 'SF', 'REJ', 'OTH', '?'),
  },
  { requiredKeys: ['time', 'source', 'destination', 'kind'] },
) as fc.Arbitrary<Interaction>

function featuresOf(interactions: readonly Interaction[], identity = false): Float32Array {
  const stream = createFeatureStream({ localNetworks: ['10.0.0.0/16'], identity })
  const out = new Float32Array(interactions.length * stream.width)
  for (const [i, item] of interactions.entries()) stream.push(item, out, i * stream.width)
  return out
}

const named = (row: Float32Array, name: string): number => row[FEATURE_NAMES.indexOf(name)] as number
const contact = (time: number, source: string, destination: string, rest: Partial<Interaction> = {}): Interaction => ({
  time,
  source,
  destination,
  kind: 'flow',
  ...rest,
})

function lastRow(interactions: readonly Interaction[]): Float32Array {
  return featuresOf(interactions).slice(-FEATURE_COUNT)
}

describe('features', () => {
  it('of a row do not depend on later rows: the future may be cut off or shuffled', () => {
    fc.assert(
      fc.property(fc.array(interaction, { minLength: 1, maxLength: 60 }), fc.nat(), (rows, n) => {
        const cut = n % (rows.length + 1)
        const whole = featuresOf(rows).subarray(0, cut * FEATURE_COUNT)
        expect(featuresOf(rows.slice(0, cut))).toEqual(whole)
        const permuted = [...rows.slice(0, cut), ...shuffle(rows.slice(cut), prng(String(n)))]
        expect(featuresOf(permuted).subarray(0, cut * FEATURE_COUNT)).toEqual(whole)
      }),
    )
  })

  it('are finite and within [-3, 3] whatever the log says', () => {
    fc.assert(
      fc.property(fc.array(interaction, { maxLength: 60 }), (rows) => {
        expect(featuresOf(rows, true).every((value) => value >= -3 && value <= 3)).toBe(true)
      }),
    )
  })

  it('do not depend on labels', () => {
    fc.assert(
      fc.property(fc.array(interaction, { maxLength: 30 }), (rows) => {
        const labelled = rows.map((row): Interaction => ({ ...row, label: 'attack', technique: 'x' }))
        expect(featuresOf(labelled)).toEqual(featuresOf(rows))
      }),
    )
  })

  it('have one name each, and the identity group is off by default', () => {
    const all = FEATURE_GROUPS.flatMap((group) => group.features)
    expect(new Set(all).size).toBe(all.length)
    expect(FEATURE_NAMES).not.toContain('sourceDegree')
    expect(createFeatureStream({ localNetworks: [] }).width).toBe(FEATURE_COUNT)
    expect(createFeatureStream({ localNetworks: [], identity: true }).width).toBe(all.length)
  })

  it('are written to their own columns only', () => {
    const out = new Float32Array(FEATURE_COUNT + 20).fill(77)
    createFeatureStream({ localNetworks: [] }).push(contact(1, '10.0.0.1', '10.0.0.2'), out, 10)
    expect([...out.subarray(0, 10), ...out.subarray(FEATURE_COUNT + 10)].every((value) => value === 77)).toBe(true)
    expect(out.subarray(10, FEATURE_COUNT + 10)).not.toContain(77)
  })

  it('know a new pair, an old one, and an answer', () => {
    const [a, b] = ['10.0.0.1', '10.0.0.2']
    expect(named(lastRow([contact(0, a, b)]), 'newPair')).toBe(1)
    expect(named(lastRow([contact(0, a, b), contact(9, a, b)]), 'newPair')).toBe(0)
    expect(named(lastRow([contact(0, a, b), contact(9, b, a)]), 'reply')).toBe(1)
    expect(named(lastRow([contact(0, a, b), contact(99, b, a)]), 'reply')).toBe(0)
  })

  it('see fan-out where one source meets many, not where it meets one often', () => {
    const many = Array.from({ length: 50 }, (_, i) => contact(i, '10.0.0.1', `10.0.1.${i}`))
    const often = Array.from({ length: 50 }, (_, i) => contact(i, '10.0.0.1', '10.0.1.1'))
    expect(named(lastRow(many), 'fanOut10m')).toBeGreaterThan(named(lastRow(often), 'fanOut10m') + 0.5)
    expect(named(lastRow(often), 'pair1h')).toBeGreaterThan(named(lastRow(many), 'pair1h') + 0.5)
  })

  it('see an even rhythm', () => {
    const beacon = Array.from({ length: 30 }, (_, i) => contact(i * 300, '10.0.0.1', '198.51.100.1'))
    const human = Array.from({ length: 30 }, (_, i) => contact(i * i * 17 + (i % 3) * 900, '10.0.0.1', '198.51.100.1'))
    expect(named(lastRow(beacon), 'pairJitter')).toBeLessThan(named(lastRow(human), 'pairJitter') - 0.1)
  })

  it('are surprised by a newcomer as much as the log is long: its own burst is not its history', () => {
    const steady = (seconds: number): Interaction[] =>
      Array.from({ length: seconds / 60 }, (_, i) => contact(i * 60, '10.0.0.1', '10.0.0.2'))
    const burst = (from: number): Interaction[] =>
      Array.from({ length: 120 }, (_, i) => contact(from + i * 5, '198.51.100.7', '10.0.0.2'))
    const after = (seconds: number): Float32Array => lastRow([...steady(seconds), ...burst(seconds)])
    for (const name of ['pairSurprise1m', 'sourceSurprise1m', 'pairSurprise1h', 'sourceSurprise1h'])
      expect(named(after(200_000), name)).toBeGreaterThan(named(after(1_200), name) + 0.5)
    expect(named(after(200_000), 'sourceSurprise1h')).toBeGreaterThan(1)
    expect(Math.abs(named(lastRow(steady(200_000)), 'sourceSurprise1h'))).toBeLessThan(0.5)
  })

  it('tell a pair that meets on many occasions from one long burst', () => {
    const days = Array.from({ length: 100 }, (_, i) => contact(i * 3_600, '10.0.0.1', '10.0.0.2'))
    const hour = Array.from({ length: 100 }, (_, i) => contact(i * 36, '10.0.0.1', '10.0.0.2'))
    expect(named(lastRow(days), 'pairSessions1w')).toBeGreaterThan(named(lastRow(hour), 'pairSessions1w') + 1)
    expect(named(lastRow(hour), 'pairBurst')).toBeGreaterThan(named(lastRow(days), 'pairBurst') + 1)
    expect(named(lastRow(hour), 'pairBurstLength')).toBeGreaterThan(named(lastRow(days), 'pairBurstLength') + 0.5)
  })

  it('see new partners, not old ones met again', () => {
    const scan = Array.from({ length: 50 }, (_, i) => contact(i, '10.0.0.1', `10.0.1.${i}`))
    const again = scan.map((one) => contact(one.time + 100_000, one.source, one.destination))
    expect(named(lastRow(scan), 'newOut1h')).toBeGreaterThan(named(lastRow([...scan, ...again]), 'newOut1h') + 1)
  })

  it('see shares of the whole stream alike in a large organisation and in a small one', () => {
    const busy = (times: number): Interaction[] =>
      Array.from({ length: 500 * times }, (_, i) => contact(i / times, `10.0.0.${(i % 2) + 1}`, '10.0.0.9'))
    const share = (times: number): number => named(lastRow(busy(times)), 'sourceOfStream1h')
    expect(share(10)).toBeCloseTo(share(1), 1)
    expect(named(lastRow(busy(10)), 'source1h')).toBeGreaterThan(named(lastRow(busy(1)), 'source1h') + 0.5)
  })

  it('see what is not answered', () => {
    const asked = Array.from({ length: 50 }, (_, i) => contact(i, '10.0.0.1', '10.0.0.2'))
    const answered = asked.flatMap((one) => [one, contact(one.time, one.destination, one.source)])
    const question = contact(50, '10.0.0.1', '10.0.0.2')
    const [alone, both] = [lastRow([...asked, question]), lastRow([...answered, question])]
    expect(named(alone, 'unanswered1h')).toBeGreaterThan(named(both, 'unanswered1h') + 1)
    expect(named(both, 'answers1h')).toBeGreaterThan(named(alone, 'answers1h') + 1)
  })

  it('tell the internet from private networks of others, and call no name public', () => {
    const ends = (source: string, destination: string): number[] => {
      const row = lastRow([contact(0, source, destination)])
      return ['sourceLocal', 'destinationLocal', 'sourcePublic', 'destinationPublic'].map((name) => named(row, name))
    }
    expect(ends('198.51.100.1', '10.0.0.1')).toEqual([0, 1, 1, 0])
    expect(ends('192.168.7.7', '2001:db8::1')).toEqual([0, 0, 0, 1])
    expect(ends('pc7.example.org', '10.0.0.1')).toEqual([0, 1, 0, 0])
  })

  it('forget as time passes', () => {
    const burst = Array.from({ length: 100 }, (_, i) => contact(i / 10, '10.0.0.1', '10.0.0.2'))
    const soon = lastRow([...burst, contact(11, '10.0.0.1', '10.0.0.2')])
    const late = lastRow([...burst, contact(2_000, '10.0.0.1', '10.0.0.2')])
    expect(named(soon, 'source1m')).toBeGreaterThan(named(late, 'source1m') + 1)
    expect(named(late, 'source1d')).toBeCloseTo(named(soon, 'source1d'), 1)
  })

  it('refuse a malformed local network', () => {
    expect(() => createFeatureStream({ localNetworks: ['10/8'] })).toThrow(
      expect.objectContaining({ code: 'config-invalid' }),
    )
  })
})

describe('the table of hosts and pairs', () => {
  it('keeps what it learnt while it grows', () => {
    const table = new SlotTable(2, 1 << 14)
    const hash = (key: number): number => Math.imul(key, 0x9e3779b1) >>> 0
    for (let key = 1; key <= 3000; key++) {
      const at = table.claim(hash(key), key)
      table.values[at] = key
    }
    for (let key = 1; key <= 3000; key++) expect(table.values[table.find(hash(key), key)]).toBe(key)
    expect(table.find(1, 1)).toBe(-1)
  })

  it('never outgrows its bound, and forgets what was used longest ago', () => {
    const table = new SlotTable(1, 64, 64)
    for (let key = 1; key <= 8; key++) table.claim(0, key)
    table.touch(table.find(0, 1))
    table.claim(0, 9)
    expect(table.find(0, 1)).not.toBe(-1)
    expect(table.find(0, 2)).toBe(-1)
    for (let key = 0; key < 10_000; key++) table.claim(key, key + 100)
    expect(table.values.length).toBe(64)
  })
})
