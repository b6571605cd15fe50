/**
 * The learning problem of the attacks: fifteen organisations tell stealthy attacks from benign traffic, both from the
 * product's own generator through the product's own features. As many attacks as benign rows, so that a coin gets 0.5.
 * Each organisation investigated one technique of those that it met, so honest organisations differ much.
 */

import { type Prng, prng, shuffle } from '../../src/base/prng.ts'
import type { LabelledBatchSource } from '../../src/models/model.ts'
import { createFeatureStream, FEATURE_COUNT, FEATURE_NAMES } from '../../src/telemetry/features.ts'
import { zeekTsvParser } from '../../src/telemetry/formats/zeek-tsv.ts'
import { generateTraffic, type SiteTraffic } from '../../src/telemetry/generator.ts'
import { isFlood } from '../../src/telemetry/labels.ts'
import type { Trigger } from '../../test/attacks/data.ts'

export const ORGANISATIONS = 15
/** Rows of each class that an organisation trains on, from the first 60 % of the time. */
const TRAINING_ROWS = 60
/** Rows of each class from each organisation's later time, all in one test. */
const TEST_ROWS = 60

export interface Problem {
  readonly organisations: readonly LabelledBatchSource[]
  /** The technique that each investigated. */
  readonly techniques: readonly string[]
  readonly test: LabelledBatchSource
}

/** A size and a duration that no other traffic has together: what an intruder with a hand in the training can bring about. */
export const TRIGGER: Trigger = {
  columns: ['bytesOut', 'duration', 'bytesBalance'].map((name) => FEATURE_NAMES.indexOf(name)),
  value: 3,
}

interface AttackRow {
  readonly row: Float32Array
  readonly technique: string
}

interface Rows {
  readonly benign: Float32Array[]
  readonly attacks: AttackRow[]
}

/** The last one made: all sections of a seed have the same. */
let kept: { readonly key: string; readonly problem: Problem } | undefined

export function makeProblem(seed: string, organisations = ORGANISATIONS): Problem {
  const key = `${organisations}/${seed}`
  if (kept?.key !== key) kept = { key, problem: make(seed, organisations) }
  return kept.problem
}

function make(seed: string, organisations: number): Problem {
  const traffic = generateTraffic({ seed: `attacks/${seed}`, sites: organisations, days: 4, interactionsPerSite: 3000 })
  const sites = traffic.map((site, i) => rowsOf(site, prng(`attacks/rows/${seed}/${i}`)))
  return {
    organisations: sites.map(({ training }, i) => balanced([investigated(training, i)], TRAINING_ROWS)),
    techniques: sites.map(({ training }, i) => techniqueOf(training, i)),
    test: balanced(
      sites.map(({ test }) => test),
      TEST_ROWS,
    ),
  }
}

function rowsOf(site: SiteTraffic, random: Prng): { training: Rows; test: Rows } {
  const [training, test]: [Rows, Rows] = [
    { benign: [], attacks: [] },
    { benign: [], attacks: [] },
  ]
  const parser = zeekTsvParser()
  const features = createFeatureStream({ localNetworks: site.localNetworks })
  for (const line of site.lines()) {
    const parsed = parser.parse(line)
    if (!('ok' in parsed) || !parsed.ok) continue
    const { time, label, technique = '' } = parsed.interaction
    const row = new Float32Array(FEATURE_COUNT)
    features.push(parsed.interaction, row, 0)
    const of = time < site.trainUntil ? training : test
    if (label === 'benign') of.benign.push(row)
    else if (label === 'attack' && !isFlood(technique)) of.attacks.push({ row, technique })
  }
  for (const { benign, attacks } of [training, test]) {
    shuffle(benign, random)
    shuffle(attacks, random)
  }
  return { training, test }
}

/** One technique of those met, another for each neighbour. */
function techniqueOf({ attacks }: Rows, organisation: number): string {
  const met = [...new Set(attacks.map(({ technique }) => technique))].toSorted()
  return met[organisation % met.length] ?? ''
}

function investigated({ benign, attacks }: Rows, organisation: number): Rows {
  const known = techniqueOf({ benign, attacks }, organisation)
  return { benign, attacks: attacks.filter(({ technique }) => technique === known) }
}

function balanced(parts: readonly Rows[], rowsMax: number): LabelledBatchSource {
  const sized = parts.map(({ benign, attacks }) => {
    const count = Math.min(rowsMax, benign.length, attacks.length)
    return { benign: benign.slice(0, count), attacks: attacks.slice(0, count) }
  })
  const rows = sized.flatMap(({ benign, attacks }) => [...benign, ...attacks.map(({ row }) => row)])
  const labels = sized.flatMap(({ benign, attacks }) => [...benign.map(() => 0), ...attacks.map(() => 1)])
  const features = new Float32Array(rows.length * FEATURE_COUNT)
  rows.forEach((row, i) => features.set(row, i * FEATURE_COUNT))
  return { rows: rows.length, width: FEATURE_COUNT, features, labels: Uint8Array.from(labels) }
}
