import { describe, expect, it } from 'vitest'
import { weigh } from './large.ts'

describe('aggregation streams', () => {
  it('eight updates of 400 MB each in less than 600 MB of memory', async () => {
    const { peakRssBytes } = await weigh('slow')
    expect(peakRssBytes).toBeLessThan(600e6)
  })
})
