import { describe, expect, it } from 'vitest'
import { canonicalAddress } from './address.ts'
import { zeekTsvParser } from './formats/zeek-tsv.ts'
import { ALL_TECHNIQUES, generateTraffic, type SiteTraffic, TRAFFIC_START } from './generator.ts'
import type { Interaction } from './interaction.ts'
import { localMatcher } from './networks.ts'
import { type CaptureSite, overlayCampaigns } from './overlay.ts'

const OPTIONS = { seed: 'test', sites: 3, interactionsPerSite: 12_000 }

function interactionsOf(site: SiteTraffic): Interaction[] {
  const parser = zeekTsvParser()
  const interactions: Interaction[] = []
  for (const line of site.lines()) {
    const result = parser.parse(line)
    if ('ok' in result) {
      if (!result.ok) throw new Error(`${result.reason}: ${line}`)
      interactions.push(result.interaction)
    }
  }
  return interactions
}

const techniquesOf = (interactions: readonly Interaction[]): Set<string> =>
  new Set(interactions.flatMap(({ technique }) => technique ?? []))

describe('generated traffic', () => {
  const sites = generateTraffic(OPTIONS)
  const logs = sites.map(interactionsOf)

  const large = interactionsOf(
    generateTraffic({ seed: 'size', sites: 1, interactionsPerSite: 60_000 })[0] as SiteTraffic,
  )

  it('is the same for a seed, and another for another', () => {
    const [again, other] = [generateTraffic(OPTIONS), generateTraffic({ ...OPTIONS, seed: 'other' })] as const
    expect([...(again[1] as SiteTraffic).lines()]).toEqual([...(sites[1] as SiteTraffic).lines()])
    expect([...(other[1] as SiteTraffic).lines()]).not.toEqual([...(sites[1] as SiteTraffic).lines()])
  })

  it('of a site does not depend on how many sites there are', () => {
    const [alone] = generateTraffic({ ...OPTIONS, sites: 1 })
    expect([...(alone as SiteTraffic).lines()]).toEqual([...(sites[0] as SiteTraffic).lines()])
  })

  it('is a Zeek log by time that touches the site at one end at least, never a host with itself', () => {
    for (const [i, log] of logs.entries()) {
      const isLocal = localMatcher((sites[i] as SiteTraffic).localNetworks)
      let last = TRAFFIC_START
      for (const { time, source, destination } of log) {
        expect(time).toBeGreaterThanOrEqual(last)
        last = time
        if (!(isLocal(source) || isLocal(destination)) || source === destination)
          expect.fail(`${source} -> ${destination}`)
        if (canonicalAddress(destination) === undefined) expect.fail(destination)
      }
    }
  })

  it('has about the size that was asked for, with few attacks', () => {
    expect(large.length).toBeGreaterThan(50_000)
    expect(large.length).toBeLessThan(70_000)
    const attacks = large.filter(({ label }) => label === 'attack').length
    expect(attacks / large.length).toBeGreaterThan(0.01)
    expect(attacks / large.length).toBeLessThan(0.15)
  })

  it('hits sites unevenly: each is tested on techniques that it did not meet before, and others did', () => {
    for (const [i, log] of logs.entries()) {
      const { exposure, trainUntil } = sites[i] as SiteTraffic
      const before = techniquesOf(log.filter(({ time }) => time < trainUntil))
      const after = techniquesOf(log.filter(({ time }) => time >= trainUntil))
      expect([...before].sort()).toEqual([...exposure.training].sort())
      expect([...after].every((technique) => exposure.test.includes(technique as never) || before.has(technique))).toBe(
        true,
      )
      expect(exposure.test.some((technique) => !exposure.training.includes(technique))).toBe(true)
      expect(exposure.test.length).toBeLessThan(ALL_TECHNIQUES.length)
    }
  })

  it('is quieter at night and at the weekend', () => {
    const hours = new Array<number>(240).fill(0)
    for (const { time } of large) {
      const hour = Math.floor((time - TRAFFIC_START) / 3600)
      if (hour < 240) hours[hour] = (hours[hour] as number) + 1
    }
    const day = (n: number): number => hours.slice(24 * n + 8, 24 * n + 18).reduce((sum, count) => sum + count, 0)
    expect(day(5) + day(6)).toBeLessThan((day(0) + day(3)) * 0.6)
    const night = hours.slice(24 * 3 + 20, 24 * 3 + 24).reduce((sum, count) => sum + count, 0)
    expect(night / 4).toBeLessThan((day(3) / 10) * 0.6)
  })

  it('refuses sizes out of range', () => {
    for (const options of [
      { sites: 0 },
      { sites: 1.5 },
      { sites: 1000 },
      { days: 0 },
      { days: 2.5 },
      { interactionsPerSite: 0 },
    ]) {
      expect(() => generateTraffic({ ...OPTIONS, ...options })).toThrow(
        expect.objectContaining({ code: 'invalid-request' }),
      )
    }
  })
})

describe('campaigns over a capture', () => {
  const capture: CaptureSite = {
    index: 1,
    name: 's',
    localNetworks: ['10.0.0.0/24'],
    local: Array.from({ length: 9 }, (_, i) => `10.0.0.${i + 1}`),
    external: ['8.8.8.8'],
    interactions: 2000,
  }
  const period = { seed: 'x', from: 1000, trainUntil: 8000, until: 11_000 }

  it('are labelled, by time, within the capture, on both sides of the cut, and the same for a seed', () => {
    const campaigns = overlayCampaigns(capture, period)
    expect(campaigns.every(({ label, technique }) => label === 'attack' && technique !== undefined)).toBe(true)
    expect(
      campaigns.every(({ time }, i) => time >= 1000 && time < 11_000 && time >= (campaigns[i - 1]?.time ?? 0)),
    ).toBe(true)
    expect(techniquesOf(campaigns.filter(({ time }) => time < 8000)).size).toBe(3)
    expect(techniquesOf(campaigns.filter(({ time }) => time >= 8000)).size).toBe(5)
    expect(overlayCampaigns(capture, period)).toEqual(campaigns)
  })

  it('reach a site of one host, by IPv6 too, from outside', () => {
    const lone = overlayCampaigns({ ...capture, local: ['2001:db8::1'], localNetworks: ['2001:db8::1/128'] }, period)
    expect(techniquesOf(lone).size).toBe(5)
    expect(
      lone.every(
        ({ source, destination }) =>
          [source, destination].map(canonicalAddress).join() === [source, destination].join(),
      ),
    ).toBe(true)
  })

  it('do not happen where no host is', () => {
    expect(overlayCampaigns({ ...capture, local: [] }, period)).toEqual([])
  })
})
