import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outlineOf } from '../../models/model.ts'
import { CAGE2 } from '../../models/response/topologies/cage2.ts'
import { parseConfig } from '../config.ts'
import { loadKernels } from '../kernels.ts'
import { createTrainer } from '../trainer.ts'
import type { TrainRequest } from '../training.ts'
import { defaultPolicy, policyTrainingDefaults } from './default-policy.ts'
import { openEnvironments, openTopology } from './environments.ts'
import { encodePolicy } from './policy-file.suite.ts'
import { loadPolicy } from './policy-file.ts'
import { responseSchema } from './response-config.ts'
import { trainPolicyLocally } from './train-policy.ts'
import { parseTrainingConfig } from '../../learning/config.ts'
import { createPolicy } from '../../models/policy/policy.ts'

const kernels = loadKernels()
const spec = defaultPolicy()
const response = responseSchema.parse({ topology: 'own', attacker: ['b-line', 'meander'], steps: 20 })
const request: TrainRequest = {
  spec,
  parameters: outlineOf(spec, kernels).initialise('start'),
  epochs: 2,
  batchSize: 100,
  learningRate: 1e-3,
  optimiser: 'adam',
  proximalMu: 0.01,
  rowsMax: 400,
  seed: 'round-1/bank-a',
}

let room: string
beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), 'entente-node-policy-'))
})
afterAll(() => rm(room, { recursive: true, force: true }))

describe('the networks of a configuration', () => {
  it('are the published one, one drawn from a seed, or a file, one environment for each attacker', async () => {
    const file = join(room, 'network.json')
    await writeFile(file, JSON.stringify(CAGE2))
    expect(await openTopology(file)).toEqual(CAGE2)
    expect(await openTopology('cage2')).toBe(CAGE2)
    expect(await openTopology('a')).toEqual(await openTopology('a'))
    expect(await openTopology('a')).not.toEqual(await openTopology('b'))
    const environments = await openEnvironments({ ...response, topology: file, slots: 15 })
    expect(environments.map(({ network, steps }) => [network.slots, steps])).toEqual([
      [15, 20],
      [15, 20],
    ])
  })

  it('that cannot be are refused with what is wrong', async () => {
    const place = async (name: string, content: string): Promise<string> => {
      await writeFile(join(room, name), content)
      return join(room, name)
    }
    const code = (expected: string) => expect.objectContaining({ code: expected })
    await expect(openTopology(join(room, 'absent.json'))).rejects.toThrow(code('not-found'))
    await expect(openTopology(await place('broken.json', '{'))).rejects.toThrow(code('config-invalid'))
    const odd = { ...CAGE2, slots: [{ ...CAGE2.slots[0], services: ['telnet'] }] }
    await expect(openTopology(await place('odd.json', JSON.stringify(odd)))).rejects.toThrow(/slots.0.services.0/)
    const lost = { ...CAGE2, path: [{ take: 'nowhere' }] }
    await expect(openTopology(await place('lost.json', JSON.stringify(lost)))).rejects.toThrow(/host named nowhere/)
    await expect(openEnvironments({ ...response, topology: 'cage2', slots: 12 })).rejects.toThrow(/12 slots/)
  })

  it('are read from entente.yaml strictly, and are optional', () => {
    const text = (more: string): string =>
      `role: organisation\nfederation: f.example\norganisation: bank-a\nhub: { urls: ["https://hub.example"] }\n${more}`
    expect(parseConfig(text(''), {})).not.toHaveProperty('response')
    const config = parseConfig(text('response: { topology: cage2, attacker: meander }\n'), {})
    expect(config).toMatchObject({ response: { attacker: 'meander', steps: 100, slots: 13, removal: 'standing' } })
    expect(() => parseConfig(text('response: { attacker: nobody }\n'), {})).toThrow(/attacker/)
    expect(() => parseConfig(text('response: { topolgy: cage2 }\n'), {})).toThrow(/topolgy/)
  })
})

describe('local work on a policy', () => {
  it('gives the same bytes in the thread of the trainer as here (P7), and says what was played', async () => {
    const here = await trainPolicyLocally(spec, request, response, kernels)
    const trainer = createTrainer({ directory: room, trainUntil: null, families: 'all', response })
    const there = await trainer.train(request)
    await trainer.close()
    expect(there).toEqual(here)
    expect(here.summary).toMatchObject({ sampleCount: 400, positives: 0 })
    expect(here.summary.reward).toBeLessThan(0)
    expect(here.parameters).not.toEqual(request.parameters)
  })

  it('is declined by an organisation that names no network', async () => {
    await expect(trainPolicyLocally(spec, request, undefined, kernels)).rejects.toThrow(
      expect.objectContaining({ code: 'no-data' }),
    )
  })

  it('has defaults that a training configuration takes', () => {
    const config = parseTrainingConfig(policyTrainingDefaults('fedprox'))
    expect(config).toMatchObject({ model: spec, local: { proximalMu: 0.01 }, strategy: { name: 'fedprox' } })
  })
})

describe('the file of a policy', () => {
  it('is read back as it was written, under the hash of its bytes', async () => {
    for (const slots of ['alike', 'apart'] as const) {
      const policy = createPolicy(defaultPolicy(13, slots), kernels)
      const parameters = policy.initialise(slots)
      const path = join(room, `${slots}.safetensors`)
      await writeFile(path, encodePolicy({ policy, parameters }, 'v1'))
      const loaded = await loadPolicy(path)
      expect(loaded.parameters).toEqual(parameters)
      expect(loaded.policy.spec).toEqual(policy.spec)
    }
  })

  it('is refused with a weight that is not finite, or with tensors of another policy', async () => {
    const policy = createPolicy(spec, kernels)
    const parameters = policy.initialise('x')
    parameters[5] = Number.NaN
    const path = join(room, 'nan.safetensors')
    await writeFile(path, encodePolicy({ policy, parameters }, 'v1'))
    await expect(loadPolicy(path)).rejects.toThrow(expect.objectContaining({ code: 'not-finite' }))
    const other = { ...createPolicy(defaultPolicy(13, 'apart'), kernels), spec }
    await writeFile(path, encodePolicy({ policy: other, parameters: other.initialise('x') }, 'v1'))
    await expect(loadPolicy(path)).rejects.toThrow(/not those of the policy that it names/)
  })
})
