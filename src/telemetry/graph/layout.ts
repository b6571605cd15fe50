/** What a temporal graph model reads of an interaction beside its features, column by column. */

import { FEATURE_NAMES } from '../features/names.ts'

/** Links that are remembered of a host unless told otherwise. */
export const LINKS_DEFAULT = 8

/**
 * How the recent links of the two ends overlap: the neighbour co-occurrence of DyGFormer (Yu et al. 2023, section 4.1) as
 * shares of the links, so that a host with few links and one with many look alike.
 */
export const PAIR_COLUMNS = [
  'sourceKnowsDestination',
  'destinationKnowsSource',
  'sourceSharesPeers',
  'destinationSharesPeers',
  'sourceDistinctPeers',
  'destinationDistinctPeers',
  'sourceLinks',
  'destinationLinks',
] as const

/** Columns of a link that are made when it is read. `age` is in seconds, negative where there is no link. */
export const DERIVED_COLUMNS = ['age', 'gap', 'direction', 'isOtherEnd', 'peerInOwn', 'peerInOther'] as const

/** Columns of the earlier interaction that a link keeps; those of the peer depend on which end the peer was. */
export const KEPT_COLUMNS = [
  { name: 'newPair', ofSource: 'newPair', ofDestination: 'newPair' },
  { name: 'pairGap', ofSource: 'pairGap', ofDestination: 'pairGap' },
  { name: 'peerPublic', ofSource: 'destinationPublic', ofDestination: 'sourcePublic' },
  { name: 'peerVolume', ofSource: 'destination10m', ofDestination: 'source10m' },
  { name: 'peerFan', ofSource: 'fanIn10m', ofDestination: 'fanOut10m' },
  { name: 'failed', ofSource: 'failed', ofDestination: 'failed' },
  { name: 'remoteAccess', ofSource: 'remoteAccess', ofDestination: 'remoteAccess' },
  { name: 'bytesOut', ofSource: 'bytesOut', ofDestination: 'bytesOut' },
] as const

export const PAIR_WIDTH = PAIR_COLUMNS.length
export const LINK_COLUMNS: readonly string[] = [...DERIVED_COLUMNS, ...KEPT_COLUMNS.map(({ name }) => name)]
export const LINK_WIDTH = LINK_COLUMNS.length
export const KEPT_WIDTH = KEPT_COLUMNS.length

const columnOf = (name: string): number => FEATURE_NAMES.indexOf(name)

/** Columns of the feature row that the source keeps, and that the destination keeps. */
export const KEPT_OF_SOURCE: readonly number[] = KEPT_COLUMNS.map(({ ofSource }) => columnOf(ofSource))
export const KEPT_OF_DESTINATION: readonly number[] = KEPT_COLUMNS.map(({ ofDestination }) => columnOf(ofDestination))

/** Columns of a context: the pair's, the source's links from the latest on, the destination's. */
export function contextWidth(links: number): number {
  return PAIR_WIDTH + 2 * links * LINK_WIDTH
}
