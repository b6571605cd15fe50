/** Rows as a model reads them, and what the columns of such a row are. */

import { fail } from '../../base/errors.ts'
import type { ThreatModelSpec } from '../../models/model.ts'
import { createFeatureStream, FEATURE_NAMES, featureNames, type FeatureStream } from '../../telemetry/features.ts'
import { hostKey } from '../../telemetry/graph/host-key.ts'
import { LINK_COLUMNS, LINK_WIDTH, PAIR_COLUMNS, PAIR_WIDTH } from '../../telemetry/graph/layout.ts'
import { createLinkContext } from '../../telemetry/graph/link-context.ts'

/** One link of an end of the interaction, the latest being slot 0. */
export interface LinkPart {
  readonly end: 'source' | 'destination'
  readonly slot: number
  readonly columns: readonly number[]
  /** Holds the age in seconds; negative = no link. */
  readonly ageColumn: number
}

export interface RowLayout {
  readonly width: number
  /** Names of the first columns, each a value of its own. */
  readonly names: readonly string[]
  readonly links: readonly LinkPart[]
}

/** What the columns of the row are that a model of this kind reads. @throws wrong-shape if this version makes no such row */
export function rowLayout(spec: ThreatModelSpec): RowLayout {
  if (spec.kind === 'mlp') {
    const names = namesOf(spec.inputs)
    return { width: names.length, names, links: [] }
  }
  if (spec.pairFeatures !== PAIR_WIDTH || spec.linkFeatures !== LINK_WIDTH)
    fail('wrong-shape', `the model reads links of ${spec.linkFeatures} columns; this version makes ${LINK_WIDTH}`)
  const names = [...namesOf(spec.features), ...PAIR_COLUMNS]
  const links = linkParts(names.length, spec.links)
  return { width: names.length + links.length * LINK_WIDTH, names, links }
}

/** All columns by name; a link's as `source.link0.age`. @throws wrong-shape */
export function rowNames(spec: ThreatModelSpec): readonly string[] {
  const { names, links } = rowLayout(spec)
  return [...names, ...links.flatMap(({ end, slot }) => LINK_COLUMNS.map((column) => `${end}.link${slot}.${column}`))]
}

/** Features with or without the identity group, by their number. */
function namesOf(count: number): readonly string[] {
  const known = [FEATURE_NAMES, featureNames({ identity: true })].find(({ length }) => length === count)
  return (
    known ??
    fail(
      'wrong-shape',
      `the model reads ${count} features of an interaction; this version makes ${FEATURE_NAMES.length}`,
    )
  )
}

function linkParts(from: number, links: number): readonly LinkPart[] {
  return (['source', 'destination'] as const).flatMap((end, e) =>
    Array.from({ length: links }, (_, slot): LinkPart => {
      const first = from + (e * links + slot) * LINK_WIDTH
      const columns = Array.from({ length: LINK_WIDTH }, (_, i) => first + i)
      return { end, slot, columns, ageColumn: first + LINK_COLUMNS.indexOf('age') }
    }),
  )
}

/** @throws wrong-shape; config-invalid for a malformed network */
export function createRowSource(spec: ThreatModelSpec, localNetworks: readonly string[]): FeatureStream {
  const { width } = rowLayout(spec)
  const count = spec.kind === 'mlp' ? spec.inputs : spec.features
  const features = createFeatureStream({ localNetworks, identity: count > FEATURE_NAMES.length })
  if (spec.kind === 'mlp') return features
  const graph = createLinkContext(spec.links)
  return {
    width,
    push(interaction, out, offset) {
      features.push(interaction, out, offset)
      const [source, destination] = [hostKey(interaction.source), hostKey(interaction.destination)]
      graph.context(source, destination, interaction.time, out, offset + count)
      graph.push(source, destination, interaction.time, out, offset)
    },
  }
}
