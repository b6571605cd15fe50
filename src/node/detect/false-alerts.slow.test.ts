/** Whether the promise holds where it matters: on traffic that comes after the calibration, at a site that trained nothing. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createModel } from '../../models/model.ts'
import { generateTraffic, type SiteTraffic } from '../../telemetry/generator.ts'
import type { Interaction } from '../../telemetry/interaction.ts'
import { defaultModel, MODEL_KINDS, type ThreatModelKind } from '../default-model.ts'
import { createQuarantine } from '../ingest/quarantine.ts'
import { readLogs } from '../ingest/survey.ts'
import { loadKernels } from '../kernels.ts'
import { encodeFlat, modelMetadata } from '../model-files.ts'
import { calibrate, detect } from './detect.ts'
import type { Detection } from './detection.ts'
import { noOutput } from './fixtures/no-output.ts'
import { type LoadedModel, loadModel } from './model-file.ts'
import { createRowSource, rowLayout } from './row-source.ts'

const PER_DAY = 10
const sites = generateTraffic({ seed: 'false-alerts', sites: 3, days: 10, interactionsPerSite: 20_000 })

let room: string
beforeAll(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-false-alerts-'))
})
afterAll(() => rmSync(room, { recursive: true, force: true }))

function place(name: string, lines: Iterable<string>): string {
  writeFileSync(join(room, name), `${[...lines].join('\n')}\n`)
  return join(room, name)
}

async function trained(kind: ThreatModelKind, [first, second]: readonly SiteTraffic[]): Promise<LoadedModel> {
  const spec = defaultModel(kind)
  const { width } = rowLayout(spec)
  const rows: Float32Array[] = []
  const labels: number[] = []
  for (const site of [first, second]) {
    if (site === undefined) continue
    const source = createRowSource(spec, site.localNetworks)
    const take = (interaction: Interaction): void => {
      const row = new Float32Array(width)
      source.push(interaction, row, 0)
      if (interaction.time >= site.trainUntil) return
      rows.push(row)
      labels.push(interaction.label === 'attack' ? 1 : 0)
    }
    const options = { format: 'auto', selection: 'contacts', quarantine: createQuarantine() } as const
    await readLogs([place(`${site.name}.log`, site.lines())], options, take, async () => undefined)
  }
  const features = new Float32Array(rows.length * width)
  rows.forEach((row, i) => features.set(row, i * width))
  const model = createModel(spec, loadKernels())
  const data = { rows: rows.length, width, features, labels: Uint8Array.from(labels) }
  const options = {
    epochs: 2,
    batchSize: 1024,
    learningRate: 3e-3,
    optimiser: 'adam',
    proximalMu: 0,
    seed: 's',
  } as const
  const { parameters } = model.train(model.initialise('s'), data, options)
  const path = join(room, `${kind}.safetensors`)
  writeFileSync(path, encodeFlat(model.layout, modelMetadata(spec, 'v1'), parameters))
  return loadModel(path)
}

it.each(MODEL_KINDS)(
  `a %s asked for ${PER_DAY} false alerts a day raises about so many on later traffic of a new site, and finds its attacks`,
  async (kind) => {
    const [, , site] = sites
    if (site === undefined) throw new Error('no third site')
    const model = await trained(kind, sites)
    const lines = [...site.lines()]
    const header = lines.filter((line) => line.startsWith('#'))
    const part = (keep: (time: number) => boolean): string[] =>
      lines.filter((line) => !line.startsWith('#') && keep(Number.parseFloat(line)))
    const past = place('past.log', [...header, ...part((time) => time < site.trainUntil)])
    const later = place('later.log', [...header, ...part((time) => time >= site.trainUntil)])
    const scoring = { model, objective: 'supervised', localNetworks: site.localNetworks, logFormat: 'auto' } as const
    const { file, memory } = await calibrate({ ...scoring, paths: [past], perDay: PER_DAY, now: 0 })
    const alerts: Detection[] = []
    const { firstTime, lastTime } = await detect(
      {
        ...scoring,
        paths: [later],
        threshold: file.threshold,
        rates: file.rates,
        all: false,
        scoreMin: Number.NEGATIVE_INFINITY,
        explained: false,
        output: noOutput,
        format: (detection) => void alerts.push(detection),
      },
      memory,
    )
    const days = ((lastTime ?? 0) - (firstTime ?? 0)) / 86_400
    const falseAlerts = alerts.filter(({ interaction }) => interaction.label === 'benign').length / days
    const found = new Set(
      alerts.flatMap(({ interaction: { label, technique } }) => (label === 'attack' ? [technique] : [])),
    )
    expect(falseAlerts).toBeGreaterThan(PER_DAY / 4)
    expect(falseAlerts).toBeLessThan(PER_DAY * 2)
    expect(found.size).toBeGreaterThanOrEqual(3)
  },
)
