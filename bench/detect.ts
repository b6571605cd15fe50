/** Detection on one core: a Zeek log in the page cache to findings in a file, by each kind of model. */

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createModel } from '../src/models/model.ts'
import { defaultModel, MODEL_KINDS, type ThreatModelKind } from '../src/node/default-model.ts'
import { calibrate, detect } from '../src/node/detect/detect.ts'
import { jsonDetection } from '../src/node/detect/formats/json-lines.ts'
import { loadModel } from '../src/node/detect/model-file.ts'
import { fileOutput } from '../src/node/detect/output.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { encodeFlat, modelMetadata } from '../src/node/model-files.ts'
import { writeTraffic } from '../src/node/write-traffic.ts'
import { sideBySide } from './measure.ts'
import { rate, type Row, type Section } from './report.ts'

const ROWS = 200_000
const ALERTS_PER_DAY = 10

interface Prepared {
  readonly name: string
  readonly work: () => Promise<void>
  /** Milliseconds of processor time of the fastest run, and its alerts. */
  readonly best: () => { readonly cpuMs: number; readonly alerts: number }
}

async function prepare(kind: ThreatModelKind, log: string, directory: string, seed: string): Promise<Prepared> {
  const spec = defaultModel(kind)
  const untrained = createModel(spec, loadKernels())
  const path = join(directory, `${kind}.safetensors`)
  writeFileSync(path, encodeFlat(untrained.layout, modelMetadata(spec, 'bench'), untrained.initialise(seed)))
  const model = await loadModel(path)
  const scoring = { model, objective: 'supervised', localNetworks: [], logFormat: 'auto' } as const
  const { file } = await calibrate({ ...scoring, paths: [log], perDay: ALERTS_PER_DAY, now: 0 })
  const context = { modelDigest: model.digest, modelKind: kind, programVersion: 'bench', now: () => 0 }
  let best = { cpuMs: Number.POSITIVE_INFINITY, alerts: 0 }
  const work = async (): Promise<void> => {
    const output = await fileOutput(join(directory, `${kind}.jsonl`), { append: false })
    const before = process.cpuUsage()
    const { alerts } = await detect({
      ...scoring,
      paths: [log],
      threshold: file.threshold,
      rates: file.rates,
      all: false,
      scoreMin: Number.NEGATIVE_INFINITY,
      explained: true,
      output,
      format: (detection) => jsonDetection(detection, context),
    })
    await output.close()
    const { user, system } = process.cpuUsage(before)
    const cpuMs = (user + system) / 1000
    if (cpuMs < best.cpuMs) best = { cpuMs, alerts }
  }
  return { name: kind === 'mlp' ? 'MLP' : 'temporal graph network', work, best: () => best }
}

export async function benchDetect(seed: string, runs: number): Promise<Section> {
  const directory = mkdtempSync(join(tmpdir(), 'entente-bench-detect-'))
  try {
    const { sites } = await writeTraffic({ directory, sites: 1, seed, interactionsPerSite: ROWS })
    const { path: log = '', interactions = 0 } = sites[0] ?? {}
    const contenders = await Promise.all(MODEL_KINDS.map((kind) => prepare(kind, log, directory, seed)))
    const timings = await sideBySide(Object.fromEntries(contenders.map(({ name, work }) => [name, work])), runs)
    const rows = contenders.flatMap(({ name, best }): Row[] => {
      const timing = timings[name]
      if (timing === undefined) return []
      const { cpuMs, alerts } = best()
      const note = `${alerts} alerts explained; ${(interactions / cpuMs).toFixed(0)} k/s of processor time`
      return [rate(name, interactions / 1000, 'k interactions', timing, note)]
    })
    const size = `${(statSync(log).size / 1e6).toFixed(0)} MB`
    const setting = `Zeek conn.log of ${interactions} interactions (${size}, generated) to JSON lines; untrained models of the default sizes, threshold calibrated to ${ALERTS_PER_DAY} alerts a day, each explained; one thread; seed ${seed}`
    return { title: 'Detection', setting, rows }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
