import { expect, it } from 'vitest'
import { sharedPath } from '../../../test/shared.ts'
import { createQuarantine } from './quarantine.ts'
import { readLogs } from './survey.ts'

const path = sharedPath('data/darpa98/darpa_original.zip')

it.skipIf(path === undefined)('DARPA-98 has 4,554,344 edges and no refused line (reads shared data)', async () => {
  const options = { format: 'auto', selection: 'all', quarantine: createQuarantine() } as const
  let malicious = 0
  const minutes = new Set<number>()
  const take = (interaction: { readonly label?: string; readonly time: number }): void => {
    if (interaction.label === 'attack') malicious++
    minutes.add(interaction.time)
  }
  const { sources } = await readLogs([path as string], options, take, async () => undefined)
  expect(sources[0]).toMatchObject({
    kinds: { flow: 4_554_344 },
    source: { lines: 4_554_344, refused: {}, skipped: {} },
  })
  expect([malicious, minutes.size]).toEqual([2_737_209, 46_572])
})
