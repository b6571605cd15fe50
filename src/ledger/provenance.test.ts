import { describe, expect, it } from 'vitest'
import type { Block } from './block.ts'
import { contentOf, Hub, modelOf, ORGANISATIONS, START, trained } from './fixtures.ts'
import type { Digest } from '../base/ids.ts'
import { decodeLeaf } from './leaf.ts'
import { lineage, type ReadBlockOfModel } from './provenance.ts'

const blocksOf = (hub: Hub): Block[] => hub.records.map(({ leaf }) => decodeLeaf(leaf))

/** Reader over blocks in memory, by height. */
function blocksByModel(blocks: readonly Block[]): ReadBlockOfModel {
  const heights = new Map<Digest, number[]>()
  for (const { model_hash, height } of blocks) heights.set(model_hash, [...(heights.get(model_hash) ?? []), height])
  return async (model, below) => {
    const height = heights.get(model)?.findLast((candidate) => candidate <= below)
    return height === undefined ? undefined : blocks[height]
  }
}

describe('lineage', () => {
  it('leads from a model through every round to the initial model', async () => {
    const generations = await lineage(modelOf('t1', 3), blocksByModel(blocksOf(trained(5))))
    expect(generations.map(({ modelVersion, round }) => [modelVersion, round])).toEqual([
      ['v1.3', 3],
      ['v1.2', 2],
      ['v1.1', 1],
      ['v1.0', 0],
    ])
    expect(generations[0]).toMatchObject({
      height: 3,
      parentModel: modelOf('t1', 2),
      strategy: 'fedavg',
      participants: ORGANISATIONS.map((organisation, i) => ({ organisation, sampleCount: 100 + i, signed: true })),
    })
    expect(generations.at(-1)).toMatchObject({ parentModel: null, participants: [] })
  })

  it('of a training that began from the model of another goes on into that one', async () => {
    const hub = trained(2)
    const content = contentOf('t2', 1, ORGANISATIONS)
    hub.seal(
      { ...content, provenance: { ...content.provenance, parent_model: modelOf('t1', 2) } },
      ORGANISATIONS,
      START + 9000,
    )
    const generations = await lineage(modelOf('t2', 1), blocksByModel(blocksOf(hub)))
    expect(generations.map(({ trainingId, round }) => `${trainingId}-${round}`)).toEqual([
      't2-1',
      't1-2',
      't1-1',
      't1-0',
    ])
  })

  it('of a model that a round left as it was ends, and names each block once', async () => {
    const hub = trained(1)
    const content = contentOf('t1', 2, ORGANISATIONS)
    hub.seal({ ...content, model_hash: modelOf('t1', 1) }, ORGANISATIONS, START + 9000)
    expect((await lineage(modelOf('t1', 1), blocksByModel(blocksOf(hub)))).map(({ height }) => height)).toEqual([
      2, 1, 0,
    ])
  })

  it('of a model that no block sealed is refused', async () => {
    await expect(lineage(modelOf('t9', 9), blocksByModel([]))).rejects.toMatchObject({ code: 'not-found' })
  })
})
