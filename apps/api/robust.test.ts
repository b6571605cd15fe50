import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Digest } from '../../src/base/ids.ts'
import { prng } from '../../src/base/prng.ts'
import type { Block } from '../../src/ledger/block.ts'
import { signBlock } from '../../src/ledger/block.ts'
import { parseTrainingConfig } from '../../src/learning/config.ts'
import { encodeUpdate, updateOf } from '../../src/learning/update-file.ts'
import { decodeSafetensors } from '../../src/models/formats/safetensors.ts'
import { rocAuc } from '../../src/models/metrics.ts'
import { createModel } from '../../src/models/model.ts'
import { API } from '../../src/node/transport/client.ts'
import { loadKernels } from '../../test/kernels.ts'
import {
  contributionBody,
  type Organisation,
  put,
  refusal,
  send,
  SPEC,
  startTestHub,
  submit,
  type TestHub,
} from './federation.suite.ts'

const ROUNDS = 4
const model = createModel(SPEC, loadKernels())

/** Rows of an attack that shows in the first two of four features. */
function traffic(seed: string, rows: number) {
  const random = prng(seed)
  const features = Float32Array.from({ length: rows * 4 }, () => random.normal())
  const labels = Uint8Array.from({ length: rows }, (_, i) =>
    Number((features[4 * i] ?? 0) + (features[4 * i + 1] ?? 0) + 0.2 * random.normal() > 0.5),
  )
  return { rows, width: 4, features, labels }
}

type Lie = (update: Float32Array) => Float32Array
const LIES: Readonly<Record<string, Lie>> = {
  'flips the sign': (update) => update.map((value) => -3 * value),
  'scales a hundredfold, backwards': (update) => update.map((value) => -100 * value),
  'sends NaN': (update) => update.map(() => Number.NaN),
}

let test: TestHub
let members: Organisation[]
const seen = new Map<string, number>()

beforeAll(async () => {
  test = await startTestHub()
  members = []
  for (const name of ['bank-a', 'bank-b', 'bank-c', 'bank-d', 'liar']) members.push(await test.organisation(name))
})
afterAll(() => test.close())

/** The next letter of a type; what comes in between is read past. */
async function next<Body>(organisation: Organisation, type: string, about: string): Promise<Body> {
  for (;;) {
    const after = seen.get(organisation.id) ?? 0
    const path = `${API}/federation/mailbox?after=${after}&wait=5000`
    const { mail } = (await organisation.http.call({ method: 'GET', path })) as {
      mail: { position: number; envelope: { header: { type: string }; body: never } }[]
    }
    for (const { position, envelope } of mail) {
      seen.set(organisation.id, position)
      if (envelope.header.type === type && JSON.stringify(envelope.body).includes(about)) return envelope.body
    }
  }
}

async function weightsOf(digest: Digest): Promise<Float32Array> {
  const reader = await test.hub.ports.blobs.open(digest)
  const file = new Uint8Array(reader.size)
  await reader.read(0, file)
  await reader.close()
  const { tensors } = decodeSafetensors(file)
  return Float32Array.from(model.layout.flatMap(({ name }) => [...(tensors.get(name)?.values ?? [])]))
}

/** Trains on its own rows and hands in what it learned, or a lie. Undefined, or the code with which it was refused. */
async function takePart(organisation: Organisation, id: string, lie: Lie | undefined): Promise<string | undefined> {
  const announced = await next<{ round_id: string; base_model: Digest }>(organisation, 'round-announced', id)
  const base = await weightsOf(announced.base_model)
  const options = { epochs: 4, batchSize: 64, learningRate: 0.02, optimiser: 'adam', proximalMu: 0, seed: id } as const
  const trained = model.train(base, traffic(organisation.id, 400), options).parameters
  const update = updateOf(trained, base)
  const file = encodeUpdate(lie?.(update) ?? update, model.layout, announced.base_model)
  await put(organisation.http, file)
  const body = contributionBody(organisation.id, announced.round_id, announced.base_model, file)
  return refusal(submit(organisation.http, organisation.letter('contribution', body)))
}

async function sign(organisation: Organisation, id: string): Promise<Block> {
  const { id: proposal, block } = await next<{ id: string; block: Block }>(organisation, 'block-proposed', id)
  const { height, hash } = block
  const body = { id: proposal, height, hash, signature: signBlock(block, organisation.secret) }
  await send(organisation.http, organisation.letter('block-signature', body))
  return block
}

/** Area under the curve of the model that a whole training of {@link ROUNDS} rounds ends with, and its last block. */
async function train(trainingId: string, robust: object, lie: Lie, participantsMin = 4) {
  const round = { participantsMin, deadlineMs: 60_000 }
  const config = parseTrainingConfig({ model: SPEC, rounds: ROUNDS, round, robust, protection: 'plain', privacy: null })
  await test.operator.call({
    method: 'POST',
    path: `${API}/operator/trainings`,
    json: { config, training_id: trainingId },
  })
  let block: Block | undefined
  const refusals: (string | undefined)[] = []
  for (let number = 1; number <= ROUNDS; number++) {
    const id = `${trainingId}-${number}`
    for (const member of members) {
      const code = await takePart(member, id, member.id === 'liar' ? lie : undefined)
      if (member.id === 'liar') refusals.push(code)
      if (code !== undefined)
        await send(member.http, member.letter('round-declined', { round_id: id, reason: 'refused' }))
    }
    for (const member of members)
      if (member.id !== 'liar' || refusals.at(-1) === undefined) block = await sign(member, id)
  }
  const { features, labels, rows } = traffic('held out', 2000)
  const scores = model.score(await weightsOf(block?.model_hash as Digest), features, rows)
  return { auc: rocAuc(scores, labels) ?? 0, metrics: block?.aggregation_metrics, model: block?.model_hash, refusals }
}

describe('a federation of five in which one organisation lies', () => {
  it('loses its model to a sign flip when it takes the mean', async () => {
    const { auc, metrics } = await train('mean', {}, LIES['scales a hundredfold, backwards'] as Lie)
    expect(auc).toBeLessThan(0.6)
    expect(metrics).not.toHaveProperty('byzantine_detection_triggered')
  }, 60_000)

  it('hears of it from those who try the model, in metrics and round, whatever two of five say', async () => {
    const { model } = await train('tried', {}, LIES['scales a hundredfold, backwards'] as Lie)
    const round = `tried-${ROUNDS}`
    const gauges = async () => (await test.operator.text({ method: 'GET', path: '/metrics' })).split('\n')
    expect(await gauges()).toEqual(
      expect.arrayContaining(['aggregation_quality NaN', 'byzantine_detection_triggered NaN']),
    )
    const say = (member: Organisation, improvement_percent: number, body = {}) =>
      send(member.http, member.letter('model-validated', { round_id: round, model, improvement_percent, ...body }))
    const [first] = members
    expect(await refusal(say(first as Organisation, 0, { model: 'f'.repeat(64) }))).toBe('invalid-request')
    expect(await refusal(say(first as Organisation, 0, { round_id: 'never-1' }))).toBe('unknown-round')
    for (const [i, member] of members.entries()) await say(member, [-50, -90, 100, 100, -40][i] ?? 0)
    expect(await refusal(say(first as Organisation, 100))).toBe('already-submitted')
    // The block is mailed after it is sealed.
    await vi.waitFor(async () => expect(await test.hub.round(round)).toMatchObject({ phase: 'done' }), 10_000)
    expect(await test.hub.round(round)).toMatchObject({
      metrics: { aggregation_quality: -0.4, validators: 5, worse: 3, byzantine_detection_triggered: true },
    })
    expect(await gauges()).toEqual(
      expect.arrayContaining(['aggregation_quality -0.4', 'byzantine_detection_triggered 1']),
    )
  }, 60_000)

  it.each([
    ['flip-median', 'median', 'flips the sign'],
    ['scale-krum', 'multi-krum', 'scales a hundredfold, backwards'],
    ['scale-geomed', 'geometric-median', 'scales a hundredfold, backwards'],
  ])(
    'keeps a good model (%s) under %s when it %s, and says who was far from the rest',
    async (id, rule, name) => {
      const { auc, metrics } = await train(id, { rule, f: 1 }, LIES[name] as Lie, 5)
      expect(auc).toBeGreaterThan(0.95)
      expect(metrics).toMatchObject({ robust_rule: rule, byzantine_detection_triggered: true, robust_flagged: [4] })
      if (rule === 'multi-krum') expect(metrics).toMatchObject({ robust_left_out: [4] })
    },
    60_000,
  )

  it('does not even take NaN in, and goes on without it', async () => {
    const { auc, metrics, refusals } = await train('nan', { rule: 'median', f: 1 }, LIES['sends NaN'] as Lie)
    expect(refusals).toEqual(Array.from({ length: ROUNDS }, () => 'not-finite'))
    expect(auc).toBeGreaterThan(0.95)
    expect(metrics).toMatchObject({ num_clients: 4 })
  }, 60_000)
})
