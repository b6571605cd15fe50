/**
 * What an operator and two administrators do, with the commands of the guides and nothing else: every node with its own
 * private database, as it comes without configuration. Then nodes and their databases are killed together.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../apps/cli/demo/federation.ts'
import { createProcessGroup, type RunningProcess } from '../../apps/cli/demo/processes.ts'
import type { Block } from '../../src/ledger/block.ts'
import { clusterPassword, savedPort } from '../../src/node/storage/cluster.ts'
import { endProcess, readPidFile, serverUrl } from '../../src/node/storage/postmaster.ts'
import { setConfigValue } from '../../src/node/config-edit.ts'
import type { SplitReport } from '../../src/node/split.ts'
import { CONFIG } from './federation.ts'
import { closeGate, installGates } from './gate.ts'

const NODES = ['hub', 'bank-a', 'bank-b'] as const
type Node = (typeof NODES)[number]

const group = createProcessGroup()
const running = new Map<Node, RunningProcess>()
let directory = ''
let undisturbed: readonly string[] = []

const place = (name: string): string => join(directory, name)
const json = (...args: string[]): Promise<unknown> => group.runJson([...args, '--json'])

async function start(node: Node): Promise<void> {
  const args = [node === 'hub' ? 'hub' : 'org', 'start', '--dir', place(node), '--json']
  running.set(node, await group.start(node, args, place(`${node}.log`)))
}

async function postgresOf(node: Node): Promise<number> {
  return (await readPidFile(join(place(node), 'pg', 'data')))?.pid ?? 0
}

async function databaseUrl(node: Node): Promise<string> {
  const cluster = join(place(node), 'pg')
  const url = new URL(serverUrl(await clusterPassword(cluster), (await savedPort(cluster)) ?? 0))
  url.pathname = '/entente'
  return url.href
}

async function joinAs(node: Node, site: SplitReport['sites'][number]): Promise<void> {
  const { invitation } = (await json('invite', '--dir', place('hub'), '--name', node)) as { invitation: string }
  const data = ['--data', site.path, '--network', site.localNetworks.join(',')]
  await json('org', 'join', '--dir', place(node), '--name', node, '--invitation', invitation, ...data)
}

const train = (id: string) =>
  json('train', 'start', '--dir', place('hub'), '--id', id, '--config', place('training.json'))

/** Follows the training to its end; the hashes of its models. */
async function modelsOf(id: string): Promise<string[]> {
  const { code, stdout, stderr } = await group.run(['train', 'watch', id, '--dir', place('hub'), '--json'])
  expect(code, `${stdout}${stderr}`).toBe(0)
  const blocks = (await json('ledger', 'show', '--dir', place('hub'))) as Block[]
  return blocks.filter(({ provenance }) => provenance.training_id === id).map(({ model_hash }) => model_hash)
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entente-journey-'))
  const port = String(await freePort())
  await json('hub', 'init', '--dir', place('hub'), '--federation', 'journey.example', '--port', port)
  await start('hub')
  const sizes = ['--sites', '2', '--days', '3', '--interactions', '1500']
  const { sites } = (await json('generate-traffic', '--out', place('traffic'), ...sizes)) as SplitReport
  for (const [i, node] of (['bank-a', 'bank-b'] as const).entries()) {
    const site = sites[i]
    if (site !== undefined) await joinAs(node, site)
    // Two cannot hide among each other.
    await setConfigValue(place(node), ['protections'], ['plain'])
    await setConfigValue(place(node), ['requirePrivacy'], false)
    await start(node)
  }
  const config = { ...CONFIG, round: { ...CONFIG.round, participantsMin: 2 } }
  await writeFile(place('training.json'), JSON.stringify(config))
  await train('undisturbed')
  undisturbed = await modelsOf('undisturbed')
  for (const node of NODES) await installGates(await databaseUrl(node))
})

afterAll(async () => {
  await group.stop()
  // A node that was killed and not started again has left its database behind.
  for (const node of NODES) {
    const pid = await postgresOf(node)
    if (pid > 0) await endProcess(pid)
  }
  await rm(directory, { recursive: true, force: true })
})

describe('a federation made by commands alone, each node with its private database,', () => {
  it('trains: an initial model and one of each round', () => {
    expect(undisturbed).toHaveLength(1 + CONFIG.rounds)
    expect(new Set(undisturbed).size).toBe(undisturbed.length)
  })

  it.each([
    { node: 'hub', event: 'aggregated', killed: ['process'] },
    { node: 'hub', event: 'aggregated', killed: ['process', 'database'] },
    { node: 'hub', event: 'sealed', killed: ['database'] },
    { node: 'bank-a', event: 'trained', killed: ['process', 'database'] },
    { node: 'bank-a', event: 'contributed', killed: ['database'] },
  ])('has the same models after kill -9 of $killed of the $node before "$event"', async (planned) => {
    const { event, killed } = planned
    const node = planned.node as Node
    const id = [node, event, ...killed].join('-')
    const stream = `${node === 'hub' ? 'round' : 'participant'}/${id}-1`
    const gate = await closeGate(await databaseUrl(node), { stream, event })
    await train(id)
    await gate.reached()
    const postgres = await postgresOf(node)
    const started = performance.now()
    if (killed.includes('process')) await running.get(node)?.kill()
    if (killed.includes('database')) process.kill(postgres, 'SIGKILL')
    if (killed.includes('process')) await start(node)
    await gate.open()
    expect(await modelsOf(id)).toEqual(undisturbed)
    console.log(
      `${node}: ${killed.join(' and ')} killed before ${event}: done after ${Math.round(performance.now() - started)} ms`,
    )
  })

  it('exports its ledger, and an auditor verifies it and a proof taken from it', async () => {
    const [ledger, keys, proof] = [place('ledger.json'), place('keys.json'), place('proof.json')]
    await json('ledger', 'export', '--dir', place('hub'), '--out', ledger, '--keys', keys)
    expect(await json('ledger', 'verify', ledger, '--keys', keys)).toMatchObject({ verified: true })
    await group.run(['ledger', 'prove', '1', '--ledger', ledger, '--out', proof])
    expect(await json('ledger', 'verify', proof, '--keys', keys)).toMatchObject({ verified: true, height: 1 })
  })

  it('lets an organisation leave', async () => {
    await json('org', 'leave', '--dir', place('bank-b'))
    const { organisations } = (await json('status', '--dir', place('hub'))) as {
      organisations: { org_id: string; status: string }[]
    }
    expect(Object.fromEntries(organisations.map(({ org_id, status }) => [org_id, status]))).toEqual({
      'bank-a': 'active',
      'bank-b': 'left',
    })
  })
})
