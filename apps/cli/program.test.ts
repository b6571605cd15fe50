import { describe, expect, it } from 'vitest'
import { LOADERS } from './program.ts'

describe('the commands', () => {
  it('are loaded by the names that they have', async () => {
    const servers = { serveHub: () => Promise.reject(), serveControl: () => Promise.reject() }
    const names = await Promise.all(Object.values(LOADERS).map(async (load) => (await load(servers)).name()))
    expect(names).toEqual(Object.keys(LOADERS))
  })
})
