/**
 * The main job, end to end, on one machine: a hub and N organisations as separate processes join, ingest their own
 * traffic, train one model over R rounds, and show what it is worth and that the ledger holds.
 */

import { isEncrypted } from '../../../src/learning/encryption-config.ts'
import { CENTRAL_MECHANISM } from '../../../src/learning/mechanisms.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Protection } from '../../../src/learning/masking-config.ts'
import { setConfigValue } from '../../../src/node/config-edit.ts'
import { containment, liarsAmong } from './attack.ts'
import { evaluateFederation } from './evaluation.ts'
import { type Federation, foundFederation, type Founding } from './federation.ts'
import { stopOnInterrupt } from './interrupt.ts'
import { joinAndIngest, shareOutLabels } from './joining.ts'
import { keptDirectory } from './keep.ts'
import { watchMemory } from './memory.ts'
import type { DemoOptions } from './options.ts'
import { prepareData } from './prepare-data.ts'
import { createProgress } from './progress.ts'
import { createProcessGroup } from './processes.ts'
import type { DemoReport } from './report.ts'
import { serveUntilInterrupted } from './serve.ts'
import { dealKeys } from './deal-keys.ts'
import { learners, protectionOf } from './training-config.ts'
import { trainFederation } from './training.ts'
import { exportLedger, verifyLedger } from './verification.ts'

/** @throws whatever stopped it; the processes are gone then, and so are the files unless they are to be kept */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const started = performance.now()
  const directory = await workDirectory(options)
  const memory = watchMemory()
  const progress = createProgress()
  // Not of the federation: the evidence is judged when every node is gone.
  const verifier = createProcessGroup()
  let founding: Founding | undefined
  let cleaned: Promise<void> | undefined
  async function closeAll(): Promise<void> {
    memory.stop()
    progress.close()
    await Promise.all([founding?.stop(), verifier.stop()])
    if (options.keep === undefined) await rm(directory, { recursive: true, force: true })
  }
  // An interrupt and the error that it causes below both ask for it.
  const cleanUp = (): Promise<void> => (cleaned ??= closeAll())
  const interrupt = stopOnInterrupt(cleanUp)
  try {
    const running = await progress.phase('database server and hub', (say) => {
      founding = foundFederation(directory, say)
      return founding.ready
    })
    const data = await progress.phase('traffic', () => prepareData(options, join(directory, 'traffic'), running.group))
    await progress.phase('organisations join and ingest', (say) => joinAndIngest(running, data, say))
    const orgs = await progress.phase('labels', () => shareOutLabels(running, data, options))
    for (const { id } of liarsAmong(orgs, options.attack)) running.liars.add(id)
    await progress.phase('nodes start', () => startNodes(running, protectionOf(learners(orgs), options), options))
    const training = await progress.phase('training', (say) => trainFederation(running, orgs, options, say))
    const exported = await progress.phase('ledger export', () => exportLedger(running))
    if (options.serve) await serveUntilInterrupted(running, exported.modelHash, interrupt)
    await progress.phase('nodes stop', () => running.stop())
    const ledger = await progress.phase('verification', () => verifyLedger(verifier, exported))
    const { metrics } = await progress.phase('evaluation', (say) =>
      evaluateFederation({ members: running.members, data, orgs, training, seed: options.seed }, say),
    )
    memory.stop()
    return {
      source: data.source,
      labels: options.labels,
      labelSource: data.labelSource,
      model: training.config.model.kind,
      strategy: training.config.strategy.name,
      protection: exported.protection,
      privacy: exported.privacy,
      quality: exported.quality,
      seed: options.seed,
      orgs,
      rounds: training.rounds,
      metrics,
      ...(options.attack === undefined ? {} : { attack: containment(exported.blocks, options.attack, running.liars) }),
      ledger,
      phasesMs: progress.phasesMs(),
      ...memory.peaks(),
      wallMs: Math.round(performance.now() - started),
      ...(options.keep === undefined ? {} : { kept: options.keep }),
    }
  } finally {
    interrupt.off()
    await cleanUp()
  }
}

/** Of an organisation's entente.yaml: a training that asks for more is declined. */
const BUDGET_DEFAULT = 8

/** Nodes take part in the clear, spend more than their budget, or trust the hub only where their owner says so: here the demo. */
async function startNodes(federation: Federation, protection: Protection, { privacy }: DemoOptions): Promise<void> {
  if (privacy !== null && privacy.epsilon > BUDGET_DEFAULT)
    for (const { directory } of federation.members)
      await setConfigValue(directory, ['privacyBudget', 'epsilon'], privacy.epsilon)
  if (privacy === null)
    for (const { directory } of federation.members) await setConfigValue(directory, ['requirePrivacy'], false)
  if (isEncrypted(protection)) await dealKeys(federation, protection)
  if (protection === 'plain')
    for (const { directory } of federation.members) await setConfigValue(directory, ['protections'], [protection])
  if (privacy?.mechanism === CENTRAL_MECHANISM)
    for (const { directory } of federation.members)
      await setConfigValue(directory, ['noiseMechanisms'], [CENTRAL_MECHANISM])
  await Promise.all(federation.members.map(({ id }) => federation.start(id)))
}

function workDirectory({ keep }: DemoOptions): Promise<string> {
  return keep === undefined ? mkdtemp(join(tmpdir(), 'entente-demo-')) : keptDirectory(keep)
}
