import { describe, expect, it } from 'vitest'
import { DARPA_SITES, darpaSiteOf, darpaSites, endpointCounter, planSites, siteMatcher } from './sites.ts'

function countsOf(contacts: readonly (readonly [string, string])[]) {
  const counter = endpointCounter()
  for (const [source, destination] of contacts) counter.count(source, destination)
  return counter.counts
}

describe('sites of a capture', () => {
  it('of DARPA are its /24 networks', () => {
    const cases = {
      '172.016.112.020': 0,
      '172.016.113.001': 1,
      '172.016.114.255': 2,
      '192.168.001.010': 3,
      '194.027.251.021': 4,
      '172.016.118.060': 5,
      '010.000.000.001': -1,
    }
    for (const [address, site] of Object.entries(cases)) expect(darpaSiteOf(address)).toBe(site)
    expect(darpaSites(5).map((site) => site.name)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(() => darpaSites(DARPA_SITES.length + 1)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  })

  it('keep a /24 together where there are enough of them', () => {
    const sites = planSites(
      countsOf([
        ['8.8.8.8', '10.0.1.1'],
        ['10.0.1.2', '8.8.8.8'],
        ['10.0.2.1', '8.8.8.8'],
        ['10.0.3.1', '8.8.8.8'],
      ]),
      2,
    )
    expect(sites.map((site) => site.localNetworks)).toEqual([['10.0.1.0/24'], ['10.0.2.0/24', '10.0.3.0/24']])
  })

  it('fall to single hosts, and to any hosts where private ones are too few', () => {
    const contacts = [
      ['8.8.8.8', '10.0.1.1'],
      ['10.0.1.2', '8.8.8.8'],
    ] as const
    expect(planSites(countsOf(contacts), 2).flatMap((site) => site.localNetworks)).toEqual([
      '10.0.1.1/32',
      '10.0.1.2/32',
    ])
    expect(
      planSites(
        countsOf([
          ['9.9.9.9', '1.1.1.1'],
          ['9.9.9.9', '1.1.1.2'],
        ]),
        2,
      ).flatMap((site) => site.localNetworks),
    ).toEqual(['1.1.1.1/32', '1.1.1.2/32'])
    expect(() => planSites(countsOf(contacts), 3)).toThrow(expect.objectContaining({ code: 'input-invalid' }))
  })

  it('never belong to a multicast or broadcast address', () => {
    const sites = planSites(
      countsOf([
        ['10.0.1.1', '224.0.0.251'],
        ['10.0.2.1', '10.0.2.255'],
      ]),
      2,
    )
    expect(sites.flatMap((site) => site.localNetworks)).toEqual(['10.0.1.0/24', '10.0.2.0/24'])
  })

  it('take an interaction by its destination, else by its source', () => {
    const siteOf = siteMatcher([
      { name: 'x', localNetworks: ['10.0.1.0/24'] },
      { name: 'y', localNetworks: ['10.0.2.7/32', '2001:db8:0:1::/64'] },
    ])
    expect(siteOf('10.0.1.1', '10.0.2.7')).toBe(1)
    expect(siteOf('10.0.1.1', '8.8.8.8')).toBe(0)
    expect(siteOf('2001:db8:0:1::9', '10.0.2.8')).toBe(1)
    expect(siteOf('8.8.8.8', '10.0.2.8')).toBe(-1)
  })
})
