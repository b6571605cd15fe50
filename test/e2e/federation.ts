/**
 * A federation of real processes for tests: hub and organisations by `entente hub start` and `entente org start`, real
 * PostgreSQL, real mutual TLS. The same building blocks as the demo's, with little traffic, so that a round takes about a
 * second. Every federation has its own directory, ports and server: any number may run at once.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dealKeys } from '../../apps/cli/demo/deal-keys.ts'
import { addMember, type Federation, foundFederation, ingestAll } from '../../apps/cli/demo/federation.ts'
import { parseTrainingConfig, type TrainingConfig } from '../../src/learning/config.ts'
import { setConfigValue } from '../../src/node/config-edit.ts'
import type { SchemeKind } from '../../src/privacy/homomorphic/scheme.ts'
import { FEATURE_COUNT } from '../../src/telemetry/features.ts'
import { openOperator } from '../../src/node/operator.ts'
import { writeTraffic } from '../../src/node/write-traffic.ts'
import { installGates } from './gate.ts'

export const ROUNDS = 2
const ORGANISATIONS = 3
/** Deadlines play no part: what is lost must come back, not be left out. */
const HOURS = 3_600_000

/** In the clear and without noise: what is sent is a function of the configuration. */
export const CONFIG: TrainingConfig = parseTrainingConfig({
  protection: 'plain',
  privacy: null,
  model: { kind: 'mlp', inputs: FEATURE_COUNT, hidden: [8] },
  local: { epochs: 1, batchSize: 64, rowsMax: 2000 },
  round: { participantsMin: ORGANISATIONS, deadlineMs: HOURS, sealTimeoutMs: HOURS },
  rounds: ROUNDS,
  seed: 'end-to-end',
})

/** The same, hidden from the hub: masks differ from run to run, the sum and the models do not. */
export const HIDDEN: TrainingConfig = parseTrainingConfig({
  ...CONFIG,
  protection: 'secagg',
  masking: { phaseMs: HOURS },
})

export interface TestFederation extends Federation {
  readonly organisations: readonly string[]
  /** Of the hub or of an organisation. */
  databaseUrl(node: string): string
  /** `kill -9`; resolves when the process is gone. */
  kill(node: string): Promise<void>
  /** `kill -9` of the server's first process; its owner, this test, restarts it as a node does with its own. */
  killPostgres(): Promise<void>
  /** By default with {@link CONFIG}. */
  startTraining(trainingId: string, config?: TrainingConfig): Promise<void>
  /** Waits until it is done. @throws with the end of every node's log if it fails or takes too long */
  finish(trainingId: string, timeoutMs?: number): Promise<void>
  /** Stops everything and removes the directory. */
  close(): Promise<void>
}

export interface TestFederationOptions {
  /** A second hub process over the same directory and database; organisations know both. */
  readonly secondHub?: boolean
  /** Every organisation has a share of a key of this scheme. */
  readonly scheme?: SchemeKind
  /** Default 1500. */
  readonly interactionsPerSite?: number
}

/** Everything runs, and the gates are installed, when it resolves. */
export async function startFederation(options: TestFederationOptions = {}): Promise<TestFederation> {
  const directory = await mkdtemp(join(tmpdir(), 'entente-e2e-'))
  const founding = foundFederation(join(directory, 'federation'), () => undefined)
  async function close(): Promise<void> {
    await founding.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const founded = await founding.ready
    const federation = options.secondHub === true ? await withSecondHub(founded) : founded
    await addOrganisations(federation, join(directory, 'traffic'), options)
    const test = testFederation(federation, close)
    for (const node of ['hub', ...test.organisations]) await installGates(test.databaseUrl(node))
    return test
  } catch (error) {
    await close()
    throw error
  }
}

export const SECOND_HUB = 'hub-2'

async function withSecondHub(federation: Federation): Promise<Federation> {
  const { directory, group, hubDirectory, operator, processes } = federation
  const runtime = join(directory, SECOND_HUB)
  const args = ['hub', 'start', '--json', '--dir', hubDirectory, '--port', '0', '--runtime', runtime]
  processes.set(SECOND_HUB, await group.start(SECOND_HUB, args, join(directory, `${SECOND_HUB}.log`)))
  operator.close()
  return { ...federation, operator: await openOperator(hubDirectory, hubUrls(federation)) }
}

function hubUrls({ processes }: Federation): string[] {
  return ['hub', SECOND_HUB].flatMap((name) => {
    const api = processes.get(name)?.ready['api']
    return typeof api === 'string' ? [api] : []
  })
}

async function addOrganisations(
  federation: Federation,
  traffic: string,
  { interactionsPerSite = 1500, scheme }: TestFederationOptions,
): Promise<void> {
  const { sites, trainUntil } = await writeTraffic({
    directory: traffic,
    seed: 'end-to-end',
    sites: ORGANISATIONS,
    days: 3,
    interactionsPerSite,
  })
  // With two hub processes, each is the first choice of somebody.
  const urls = hubUrls(federation)
  for (const [i, site] of sites.entries())
    await addMember(federation, site, trainUntil, i % 2 === 0 ? urls : urls.toReversed())
  for (const { directory } of federation.members) {
    await setConfigValue(directory, ['protections'], ['secagg', 'plain'])
    await setConfigValue(directory, ['requirePrivacy'], false)
  }
  if (scheme !== undefined) await dealKeys(federation, scheme)
  await ingestAll(federation, () => undefined)
  await Promise.all(federation.members.map(({ id }) => federation.start(id)))
}

function testFederation(federation: Federation, close: () => Promise<void>): TestFederation {
  const { members, operator, processes, server } = federation
  const organisations = members.map(({ id }) => id)

  function databaseUrl(node: string): string {
    const url = node === 'hub' ? federation.hubDatabaseUrl : members.find(({ id }) => id === node)?.databaseUrl
    if (url === undefined) throw new Error(`there is no node ${node}`)
    return url
  }

  async function finish(trainingId: string, timeoutMs = 120_000): Promise<void> {
    for (const end = performance.now() + timeoutMs; ; await sleep(50)) {
      const training = await operator.training(trainingId)
      if (training.phase === 'done') return
      if (training.phase === 'failed' || training.phase === 'stopped' || performance.now() > end)
        throw new Error(`${JSON.stringify(training)}\n${await logs(federation)}`)
    }
  }

  return {
    ...federation,
    organisations,
    databaseUrl,
    kill: async (node) => processes.get(node)?.kill(),
    async killPostgres() {
      const pid = server.pid()
      if (pid === undefined) throw new Error('the test does not own the server')
      process.kill(pid, 'SIGKILL')
      while (server.pid() === pid) await sleep(10)
    },
    startTraining: async (trainingId, config = CONFIG) => void (await operator.startTraining({ config, trainingId })),
    finish,
    close,
  }
}

async function logs({ directory, processes }: Federation): Promise<string> {
  const tails = [...processes.keys()].map(async (name) => {
    const text = await readFile(join(directory, `${name}.log`), 'utf8').catch(() => '')
    return `--- ${name}\n${text.split('\n').slice(-15).join('\n')}`
  })
  return (await Promise.all(tails)).join('\n')
}
