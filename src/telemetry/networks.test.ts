import { describe, expect, it } from 'vitest'
import { localMatcher, networkMatcher, segmentOf } from './networks.ts'

describe('networks', () => {
  it.each([
    ['10.1.0.0/16', '10.1.255.255', true],
    ['10.1.0.0/16', '10.2.0.0', false],
    ['192.168.1.128/25', '192.168.1.127', false],
    ['192.168.1.128/25', '192.168.1.128', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1/32', '10.0.0.2', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['::/0', '10.0.0.1', true],
  ])('%s holds %s: %s', (network, address, inside) => {
    expect(localMatcher([network])(address)).toBe(inside)
  })

  it('are the private ranges when none is configured', () => {
    const isLocal = localMatcher([])
    for (const address of ['10.9.8.7', '172.31.255.255', '192.168.0.1', 'fd00::1', 'fe80::1', '127.0.0.1'])
      expect(isLocal(address)).toBe(true)
    for (const address of ['172.32.0.0', '8.8.8.8', '2001:db8::1', '224.0.0.251', 'not an address'])
      expect(isLocal(address)).toBe(false)
  })

  it.each([
    '10.1.0.0/33',
    '10.1/16',
    'x',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '2001:db8::/129',
    '10.0.0.0/-1',
    '10.0.0.0/1e1',
  ])('refuse the configuration %s', (text) => {
    expect(() => networkMatcher([text])).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })

  it('have segments: the /24 and the /64', () => {
    expect(segmentOf('203.0.113.77')).toBe('203.0.113.0/24')
    expect(segmentOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
    expect(segmentOf('?')).toBeUndefined()
  })
})
