import { describe, expect, it } from 'vitest'
import { organisationId } from '../../base/ids.ts'
import { dealForTest, openForTest } from '../../privacy/homomorphic/paillier/fixtures.ts'
import type { HomomorphicScheme } from '../../privacy/homomorphic/scheme.ts'
import { addInParts } from './blobs.ts'

describe('a sum in parts', () => {
  it('is that of all at once, and holds few of them at a time', async () => {
    const organisations = ['a', 'b'].map(organisationId)
    const scheme = openForTest(dealForTest({ organisations, threshold: 2, levels: 10, contributionsMax: 8 }).parameters)
    const vectors = await Promise.all(
      Array.from({ length: 8 }, (_, i) => scheme.encrypt(Int32Array.of(i, -i), new Uint8Array(32).fill(i))),
    )
    let most = 0
    const counting: HomomorphicScheme = {
      ...scheme,
      add(some) {
        most = Math.max(most, some.length)
        return scheme.add(some)
      },
    }
    for (const count of [1, 3, 4, 8]) {
      const some = vectors.slice(0, count)
      expect(await addInParts(counting, some, async (vector) => vector)).toEqual(await scheme.add(some))
    }
    expect(most).toBe(4)
  })

  it('of nothing is refused', async () => {
    const request = { organisations: [organisationId('a')], threshold: 1, levels: 1, contributionsMax: 1 }
    const scheme = openForTest(dealForTest(request).parameters)
    await expect(addInParts(scheme, [], async () => new Uint8Array(0))).rejects.toThrow('nothing to add')
  })
})
