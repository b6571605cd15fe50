/** Why an interaction is an alert: the columns and the past interactions without which its score would be lower. */

import { createAttribution, type RowPart, type Scorer } from '../../models/detection/attribution.ts'
import type { Interaction } from '../../telemetry/interaction.ts'
import type { Explanation, FeatureReason, PastReason } from './detection.ts'
import type { RecentInteractions } from './recent.ts'
import type { LinkPart, RowLayout } from './row-source.ts'
import { featureText } from './words.ts'

const FEATURES_MAX = 5
const PAST_MAX = 5

interface LinkRowPart extends RowPart {
  readonly link: LinkPart
}

export type Explain = (
  interaction: Interaction,
  row: Float32Array,
  mean: Float32Array,
  recent: RecentInteractions,
) => Explanation

export function createExplain(layout: RowLayout, score: Scorer): Explain {
  const parts = layout.names.map((name, column): RowPart => ({ name, columns: [column] }))
  const linkParts = layout.links.map((link): LinkRowPart => ({ name: 'link', columns: link.columns, link }))
  const attribute = createAttribution(layout.width, [...parts, ...linkParts], score)

  return (interaction, row, mean, recent) => {
    const usual = withoutLinks(layout, mean)
    const { usualScore, shares } = attribute(row, usual)
    const features: FeatureReason[] = []
    const past: PastReason[] = []
    for (const { part, share } of shares) {
      if (!(share > 0)) break
      if ('link' in part) {
        const found = pastOf((part as LinkRowPart).link, interaction, row, recent)
        if (found !== undefined && past.length < PAST_MAX) past.push({ ...found, share })
      } else if (features.length < FEATURES_MAX) features.push(featureOf(part, row, usual, share))
    }
    return { usualScore, features, past: layout.links.length === 0 ? latestOf(interaction, recent) : past }
  }
}

/** Columns as they usually are, and no link. */
function withoutLinks({ width, links }: RowLayout, mean: Float32Array): Float32Array {
  const usual = new Float32Array(width)
  usual.set(mean)
  for (const { ageColumn } of links) usual[ageColumn] = -1
  return usual
}

function featureOf({ name, columns }: RowPart, row: Float32Array, usual: Float32Array, share: number): FeatureReason {
  const column = columns[0] ?? 0
  const value = row[column] as number
  const mean = usual[column] as number
  return { name, text: featureText(name, value, mean), value, usual: mean, share }
}

const before = (interaction: Interaction, past: Interaction): Omit<PastReason, 'share'> => ({
  relation: relationOf(interaction, past),
  secondsBefore: Math.max(0, interaction.time - past.time),
  interaction: past,
})

function relationOf({ source, destination }: Interaction, past: Interaction): PastReason['relation'] {
  const has = (host: string): boolean => past.source === host || past.destination === host
  return has(source) && has(destination) ? 'same pair' : has(source) ? 'same source' : 'same destination'
}

/** The interaction of a link: undefined if it was forgotten here and not by the graph, which its age gives away. */
function pastOf(
  { end, slot, ageColumn }: LinkPart,
  interaction: Interaction,
  row: Float32Array,
  recent: RecentInteractions,
): Omit<PastReason, 'share'> | undefined {
  const past = recent.of(interaction[end])[slot]
  if (past === undefined) return undefined
  const found = before(interaction, past)
  return Math.fround(found.secondsBefore) === row[ageColumn] ? found : undefined
}

/** For a model without links: the pair's own first, then the latest of either end. */
function latestOf(interaction: Interaction, recent: RecentInteractions): readonly PastReason[] {
  const { source, destination } = interaction
  const all = [...new Set([...recent.of(source), ...recent.of(destination)])]
  const order = ['same pair', 'same source', 'same destination']
  return all
    .map((past) => ({ ...before(interaction, past), share: null }))
    .sort((a, b) => order.indexOf(a.relation) - order.indexOf(b.relation) || a.secondsBefore - b.secondsBefore)
    .slice(0, PAST_MAX)
}
