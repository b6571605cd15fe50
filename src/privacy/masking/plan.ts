/**
 * How many neighbours, shares and signatures a round needs: computed from how many take part and how many of them may
 * lie or die, never chosen by the hub.
 *
 * Up to `completeMax` participants: the complete graph of Bonawitz et al. 2017. Above: each participant draws k
 * neighbours by itself, which hold the shares of its secrets, as in the malicious protocol of Bell et al. 2020 (section
 * 4; the graph must not be the hub's to choose). A pair shares a mask when either drew the other.
 *
 * Let N be invited and n of them take part, up to c of them corrupt and in league with the hub, h = n - c honest,
 * K = k + 1 shares (one is kept), t of which open a secret. Everybody who reveals shares has seen q signatures of one
 * survivor set:
 * - q > 2N/3 and 2q > N + c: two survivor sets with q signatures share an honest signer, and honest participants sign
 *   one. It counts the invited: no choice of who "advertised" lets the hub split them into groups with a sum each;
 * - q >= c + 2: a sum covers at least two honest participants;
 * - t > 2K/3, as Bonawitz et al. 2017 require against a lying hub (section 6, Theorem 6.5);
 * - the hub names the survivors, so it might cut the graph of honest survivors into parts and read a part's sum. For
 *   each member v of a part S of s honest participants, the shares of v's self-mask seed are revealed by v, by
 *   neighbours that v drew within S, and by corrupt ones: 1 + |drawn by v in S or corrupt| >= t is needed, for all s
 *   members at a time, and they drew independently. Over all choices of S, up to half of the honest:
 *     sum over s of C(h, s) P[Hyp(n - 1, s - 1 + c, k) >= t - 1]^s <= 2^-failureBits.
 *   s = 1 says that no participant has so many corrupt neighbours that they open its secrets;
 * - the round survives the loss of `dropoutShare`: n P[Hyp(n - 1, lost, k) > k - t] <= 2^-failureBits.
 */

import { fail } from '../../base/errors.ts'
import { logAdd, logChoose, logTail } from './tails.ts'

export interface MaskingPolicy {
  /** Share of the invited that may be corrupt, together with the hub; less than 1/3. */
  readonly corruptShare: number
  /** Share of participants whose loss a round must survive. */
  readonly dropoutShare: number
  /** Chance of failure 2^-failureBits. */
  readonly failureBits: number
  /** Up to so many participants, everybody is everybody's neighbour. */
  readonly completeMax: number
}

export const DEFAULT_POLICY: MaskingPolicy = {
  corruptShare: 0.2,
  dropoutShare: 0.1,
  failureBits: 40,
  completeMax: 100,
}

export interface MaskingPlan {
  /** Neighbours that each participant draws; one less than there are participants = the complete graph. */
  readonly neighbours: number
  /** Shares that open a secret, of neighbours + 1. */
  readonly threshold: number
  /** Signatures that a survivor set needs, and so the least number of survivors. */
  readonly quorum: number
  /** Corrupt participants that the plan withstands. */
  readonly corruptMax: number
}

const moreThanTwoThirds = (count: number): number => Math.floor((2 * count) / 3) + 1

/**
 * The plan for `present` participants out of `invited`.
 * @throws forbidden when so few cannot be protected: below this the round is abandoned
 */
export function planFor(invited: number, present: number, policy: MaskingPolicy): MaskingPlan {
  checkPolicy(policy)
  const { quorum, corruptMax } = quorumOf(invited, policy)
  const shape = shapeFor(present, corruptMax, policy)
  const openedByCorrupt = shape.neighbours === present - 1 && shape.threshold <= corruptMax
  if (present < 3 || quorum > present || quorum < corruptMax + 2 || openedByCorrupt)
    fail('forbidden', `${present} of ${invited} are too few to hide each of them among the others`, {
      present,
      invited,
      corruptMax,
    })
  return { ...shape, quorum, corruptMax }
}

/** Depends on the invited alone: whom the hub says to be there cannot make it smaller. */
function quorumOf(invited: number, { corruptShare }: MaskingPolicy): Pick<MaskingPlan, 'quorum' | 'corruptMax'> {
  const corruptMax = Math.ceil(corruptShare * invited)
  const quorum = Math.max(moreThanTwoThirds(invited), Math.floor((invited + corruptMax) / 2) + 1)
  return { quorum, corruptMax }
}

/** Honest participants in any sum that a round can end with, at least; less than 2 for rounds that are refused. */
export function honestSurvivors(invited: number, policy: MaskingPolicy): number {
  const { quorum, corruptMax } = quorumOf(invited, policy)
  return quorum - corruptMax
}

/** By rounding, one more may be one honest survivor less; within so many more the trend, of at least 1/3, is above it. */
const LOOK_AHEAD = 16

/** {@link honestSurvivors} of so many invited or more. */
export function honestSurvivorsFrom(invitedMin: number, policy: MaskingPolicy): number {
  return Math.min(...Array.from({ length: LOOK_AHEAD }, (_, more) => honestSurvivors(invitedMin + more, policy)))
}

function checkPolicy({ corruptShare, dropoutShare, failureBits }: MaskingPolicy): void {
  const sound = corruptShare >= 0 && corruptShare < 1 / 3 && dropoutShare >= 0 && dropoutShare < 1 / 3
  if (!sound || !(failureBits >= 20 && failureBits <= 128))
    fail('invalid-request', 'corrupt and dropout shares lie in [0, 1/3), failureBits between 20 and 128')
}

type Shape = Pick<MaskingPlan, 'neighbours' | 'threshold'>

const cached = new Map<string, Shape>()

function shapeFor(present: number, corrupt: number, policy: MaskingPolicy): Shape {
  if (present <= policy.completeMax) return complete(present)
  const key = JSON.stringify([present, corrupt, policy])
  const shape = cached.get(key) ?? sparse(present, corrupt, policy) ?? complete(present)
  if (cached.size > 64) cached.clear()
  cached.set(key, shape)
  return shape
}

const complete = (present: number): Shape => ({ neighbours: present - 1, threshold: moreThanTwoThirds(present) })

/** The fewest neighbours for which some threshold is both safe and survivable. */
function sparse(present: number, corrupt: number, { dropoutShare, failureBits }: MaskingPolicy): Shape | undefined {
  const limit = -failureBits * Math.LN2
  const lost = Math.ceil(dropoutShare * present)
  for (let neighbours = 8; neighbours < present - 1; neighbours++) {
    // The smallest safe threshold loses the fewest rounds.
    for (let threshold = moreThanTwoThirds(neighbours + 1); threshold <= neighbours; threshold++) {
      if (logLossOfRound(present, lost, { neighbours, threshold }) > limit) break
      if (logCut(present, corrupt, { neighbours, threshold }) <= limit) return { neighbours, threshold }
    }
  }
  return undefined
}

/** log of the chance that some secret has too few shares left. */
export function logLossOfRound(present: number, lost: number, { neighbours, threshold }: Shape): number {
  return Math.log(present) + logTail(present - 1, lost, neighbours, neighbours - threshold + 1)
}

/** log of the chance that the hub can name survivors such that it reads the sum of a part of the honest ones. */
export function logCut(present: number, corrupt: number, { neighbours, threshold }: Shape): number {
  const honest = present - corrupt
  let cut = Number.NEGATIVE_INFINITY
  for (let size = 1; size <= honest / 2; size++)
    cut = logAdd(
      cut,
      logChoose(honest, size) + size * logTail(present - 1, size - 1 + corrupt, neighbours, threshold - 1),
    )
  return cut
}
