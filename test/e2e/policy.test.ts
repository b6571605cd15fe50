import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { type Founding, foundFederation } from '../../apps/cli/demo/federation.ts'
import { exportLedger, verifyLedger } from '../../apps/cli/demo/verification.ts'
import { organisationId } from '../../src/base/ids.ts'
import { decodeLeaf } from '../../src/ledger/leaf.ts'
import { policyObservations } from '../../src/models/policy/observer.ts'
import { CAGE2 } from '../../src/models/response/topologies/cage2.ts'
import { setConfigValue } from '../../src/node/config-edit.ts'
import { datasetDirectory } from '../../src/node/own-data.ts'
import { loadPolicy } from '../../src/node/policy/policy-file.ts'
import { joinFederation } from '../../src/node/start/join-federation.ts'
import { createDatabase } from '../../src/node/storage/embedded.ts'

const HOUR = 3_600_000
const ROUNDS = 2
const STEPS = 400

let directory: string | undefined
let founding: Founding | undefined

afterAll(async () => {
  await founding?.stop()
  if (directory !== undefined) await rm(directory, { recursive: true, force: true })
})

/** Networks and attackers of three organisations: drawn from a seed, that of the challenge, and one from a file. */
const GROUNDS = {
  'bank-a': { topology: 'bank-a', attacker: 'meander', steps: 20 },
  'bank-b': { topology: 'cage2', attacker: ['b-line', 'meander'], steps: 20 },
  'bank-c': { topology: 'network.json', attacker: 'b-line', steps: 20 },
} as const

it('organisations with other networks and attackers train one response policy, and every node seals the same hashes', async () => {
  directory = await mkdtemp(join(tmpdir(), 'entente-policy-'))
  founding = foundFederation(join(directory, 'federation'), () => undefined)
  const federation = await founding.ready
  for (const [name, ground] of Object.entries(GROUNDS)) {
    const id = organisationId(name)
    const home = join(federation.directory, id)
    const { invitation } = await federation.operator.invite({ organisation: id })
    await joinFederation(home, invitation, { organisation: id })
    const databaseUrl = await createDatabase(federation.server.url, `org-${id}`)
    await setConfigValue(home, ['database'], { url: databaseUrl })
    await setConfigValue(home, ['response'], ground)
    await writeFile(join(home, 'network.json'), JSON.stringify({ ...CAGE2, name: 'own' }))
    federation.members.push({ id, directory: home, dataset: datasetDirectory(home), databaseUrl })
    await federation.start(id)
  }

  const config = {
    model: { kind: 'policy', observations: policyObservations(13), actions: 53, hidden: [8, 8] },
    strategy: { name: 'fedprox' },
    local: { epochs: 2, batchSize: 100, learningRate: 1e-3, rowsMax: STEPS },
    round: { participantsMin: 3, deadlineMs: HOUR, sealTimeoutMs: HOUR },
    rounds: ROUNDS,
    seed: 'policy',
  }
  await federation.operator.startTraining({ config, trainingId: 'response' })
  for (;;) {
    const { phase, reason } = await federation.operator.training('response')
    if (phase === 'done') break
    if (phase !== 'running' && phase !== 'sealing-initial') throw new Error(`the training is ${phase}: ${reason}`)
    await sleep(50)
  }

  const { verified, sameOnAllNodes } = await verifyLedger(federation.group, await exportLedger(federation))
  expect({ verified, sameOnAllNodes }).toEqual({ verified: true, sameOnAllNodes: true })
  const blocks = (await federation.operator.exportLedger()).leaves.map((leaf) => decodeLeaf(leaf))
  expect(blocks).toHaveLength(1 + ROUNDS)
  expect(new Set(blocks.map(({ model_hash }) => model_hash)).size).toBe(1 + ROUNDS)
  for (const { provenance, org_signatures } of blocks.slice(1)) {
    expect(Object.keys(org_signatures).toSorted()).toEqual(Object.keys(GROUNDS))
    expect(provenance.data_sources).toEqual(['network-defence-game'])
    expect(provenance.participants.map(({ org_id, sample_count }) => [org_id, sample_count])).toEqual(
      Object.keys(GROUNDS).map((name) => [name, STEPS]),
    )
    expect(new Set(provenance.participants.map(({ contribution }) => contribution)).size).toBe(3)
  }
  const last = blocks.at(-1)
  const file = join(directory, 'policy.safetensors')
  await federation.operator.downloadModel(last?.model_hash ?? fail(), file)
  expect(await loadPolicy(file)).toMatchObject({ digest: last?.model_hash, version: last?.provenance.model_version })
}, 180_000)

const fail = (): never => {
  throw new Error('there is no block')
}
