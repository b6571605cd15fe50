/**
 * Whether a participant vouches for a block. The adversary is the hub: it may attribute to an organisation an update or
 * a weight that it never sent, move its contribution to another round, or claim a privacy that was not applied.
 */

import { digestOf } from '../base/hash.ts'
import type { Digest, OrganisationId } from '../base/ids.ts'
import { type Block, blockHash } from '../ledger/block.ts'
import { parseBlock } from '../ledger/leaf.ts'
import { survivorsDigest } from '../privacy/masking/client-checks.ts'
import type { Invited } from '../privacy/masking/context.ts'
import { modelVersion, privacyStatement, recordedConfig, releasesBy } from './block-content.ts'
import type { RoundAnnouncement } from './messages.ts'
import { ownBucket } from './own-bucket.ts'
import type { RefusalReason, SentContribution } from './participant-state.ts'
import { isReportOf } from './robust/recorded.ts'
import { expectedStages } from './stages.ts'

export type Judgement = { readonly block: Block } | { readonly reason: RefusalReason; readonly hash: string }

export function judgeProposal(
  proposed: unknown,
  organisation: OrganisationId,
  announcement: RoundAnnouncement,
  sent: SentContribution,
): Judgement {
  const parsed = parse(proposed)
  if (parsed === undefined) return { reason: 'malformed', hash: '' }
  const { block, hash } = parsed
  if (hash !== block.hash) return { reason: 'hash-wrong', hash }
  const reason = faultOf(block, announcement, sent) ?? faultOfLine(block, organisation, announcement, sent)
  return reason === undefined ? { block } : { reason, hash: block.hash }
}

/** Hashed here, where a failure is expected: members of free form may nest deeper than anything can be written. */
function parse(proposed: unknown): { readonly block: Block; readonly hash: Digest } | undefined {
  try {
    const block = parseBlock(proposed)
    return { block, hash: blockHash(block) }
  } catch {
    return undefined
  }
}

/** What every participant of the round knows. */
function faultOf(block: Block, announcement: RoundAnnouncement, sent: SentContribution): RefusalReason | undefined {
  const { provenance, aggregation_metrics: metrics } = block
  if (provenance.round_id !== announcement.round_id || provenance.training_id !== announcement.training_id)
    return 'other-round'
  if (metrics.round !== announcement.round || provenance.model_version !== modelVersion(announcement.round))
    return 'other-round'
  if (provenance.parent_model !== announcement.base_model) return 'other-base-model'
  if (digestOf(provenance.training_config) !== digestOf(recordedConfig(announcement.config))) return 'other-config'
  // From what was done here, so that no block says more of this organisation's privacy than it knows to be true.
  const releases = releasesBy(announcement.round, announcement.config)
  const stages = sent.stages ?? expectedStages(announcement.config)
  if (digestOf(provenance.privacy_params) !== digestOf(privacyStatement(stages, releases)))
    return 'other-privacy-params'
  if (!isReportOf(metrics, announcement.config.robust, provenance.participants.length)) return 'other-report'
  return undefined
}

/** What only this participant knows. */
function faultOfLine(
  block: Block,
  organisation: OrganisationId,
  announcement: RoundAnnouncement,
  sent: SentContribution,
): RefusalReason | undefined {
  const lines = block.provenance.participants.filter(({ org_id }) => org_id === organisation)
  const [line] = lines
  if (line === undefined || lines.length > 1) return 'not-listed'
  if (line.contribution !== sent.update.digest) return 'other-contribution'
  if (line.sample_count !== sent.sampleCount) return 'other-sample-count'
  if (sent.survivors === undefined) return undefined
  const { invited } = ownBucket(announcement, organisation)
  if (survivorsOf(block, invited) !== sent.survivors) return 'other-participants'
  return undefined
}

/** The sum is of those whom a quorum signed, so of a bucket the block must name just them, each with its own vector. */
function survivorsOf({ provenance }: Block, bucket: readonly Invited[]): Digest {
  const names = new Set<string>(bucket.map((one) => one.organisation))
  const own = provenance.participants.filter(({ org_id }) => names.has(org_id))
  const lines = own.map(({ org_id, contribution }) => ({
    organisation: org_id as OrganisationId,
    vector: contribution as Digest,
  }))
  return survivorsDigest(lines)
}
