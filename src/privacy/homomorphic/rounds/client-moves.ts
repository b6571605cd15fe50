/** The moves of an organisation. The adversary is the hub, with every corrupt organisation on its side. */

import { fromBase64Url, toBase64Url } from '../../../base/bytes.ts'
import { fail } from '../../../base/errors.ts'
import { digestOf } from '../../../base/hash.ts'
import type { Step } from '../../../base/machine.ts'
import { requireSorted } from '../../masking/context.ts'
import { seededBytes } from '../../masking/keystream.ts'
import type { ClientEffect, ClientEventOf, ClientIn, ClientOptions, ClientState } from './client-state.ts'
import {
  checkContribution,
  contributionPurpose,
  encryptedFacts,
  openingStatement,
  requireQuorum,
  requireSigned,
  type Roster,
  rosterOf,
  signStatement,
  weightStatement,
} from './context.ts'
import type { ContributionList } from './messages.ts'

export type ClientStep = Step<ClientState, ClientEffect>

const SEED_BYTES = 32

export const only = (state: ClientState): ClientStep => ({ state, effects: [] })

/** A seed for one purpose, so that the randomness of ciphertexts never meets that of a proof. */
function seedFor(seed: string, purpose: 'encryption' | 'proof'): string {
  const bytes = fromBase64Url(seed) ?? fail('invalid-request', 'a seed is base64url')
  return toBase64Url(seededBytes(bytes, purpose)(SEED_BYTES))
}

export function join(self: ClientOptions, event: ClientEventOf<'opened'>): ClientStep {
  const { context, weight, rounding, seed } = event
  if (!(Number.isSafeInteger(weight) && weight >= 1 && weight <= context.weightMax))
    fail('sample-count-invalid', `a weight is an integer from 1 to ${context.weightMax}`)
  const { organisation, secret } = self
  const signature = signStatement(weightStatement(context, { organisation, weight }), secret)
  return {
    state: { phase: 'joined', context, weight, rounding, seed },
    effects: [{ type: 'send', message: 'encryption-join', body: { organisation, weight, signature } }],
  }
}

/** Only for a roster of enough, signed by each: the largest weight in it decides how finely the update is rounded. */
export function encryptUpdate(
  self: ClientOptions,
  state: ClientIn<'joined'>,
  { members }: ClientEventOf<'roster'>,
): ClientStep {
  const { context, weight, rounding, seed } = state
  const roster = rosterOf(context, members)
  if (members.find(({ organisation }) => organisation === self.organisation)?.weight !== weight)
    fail('invalid-request', 'the roster leaves its receiver out, or has another weight of it')
  const { weightMax } = roster
  const statement = contributionPurpose(roster, self.organisation)
  const order = { weight, weightMax, clip: context.clip, rounding, seed: seedFor(seed, 'encryption'), statement }
  return { state: { ...state, phase: 'encrypting', members }, effects: [{ type: 'encrypt', ...order }] }
}

export function submit(
  { organisation, secret }: ClientOptions,
  state: ClientIn<'encrypting'>,
  { vector }: ClientEventOf<'encrypted'>,
): ClientStep {
  const { digest: roster } = rosterOf(state.context, state.members)
  const signature = signStatement({ statement: 'contribution', roster, organisation, vector }, secret)
  return {
    state: { ...state, phase: 'submitted', vector },
    effects: [{ type: 'send', message: 'encryption-contribution', body: { organisation, vector, signature } }],
  }
}

/** Checks the list; the sum is then computed from the contributions themselves. */
export function sumList(
  self: ClientOptions,
  state: ClientIn<'submitted'>,
  { list }: ClientEventOf<'list'>,
): ClientStep {
  const roster = rosterOf(state.context, state.members)
  checkList(self, state, roster, list)
  const vectors = list.contributions.map(({ vector }) => vector)
  const statements = list.contributions.map(({ organisation }) => contributionPurpose(roster, organisation))
  const { length } = state.context
  return { state: { ...state, phase: 'checking', list }, effects: [{ type: 'sum', vectors, statements, length }] }
}

/** @throws forbidden for a list of too few; invalid-request; signature-invalid */
function checkList(
  { organisation }: ClientOptions,
  { context, vector }: ClientIn<'submitted'>,
  roster: Roster,
  { contributions }: ContributionList,
): void {
  requireSorted(contributions.map((one) => one.organisation))
  // A list of fewer than the quorum could tell of one.
  requireQuorum(context, contributions.length)
  if (contributions.find((one) => one.organisation === organisation)?.vector !== vector)
    fail('invalid-request', 'the list leaves its receiver out, or names another contribution of it')
  // Somebody's contribution counted twice, under two names, would be told apart from the rest.
  if (new Set(contributions.map((one) => one.vector)).size !== contributions.length)
    fail('forbidden', 'one contribution is listed twice')
  for (const contribution of contributions) checkContribution(context, roster, contribution)
}

/** Signs the only list of this round, if the hub's sum is the sum. */
export function compareSum(
  { organisation, secret }: ClientOptions,
  state: ClientIn<'checking'>,
  { sum }: ClientEventOf<'summed'>,
): ClientStep {
  const { list } = state
  if (sum !== list.sum)
    return only({ phase: 'abandoned', reason: 'the sum to be opened is not that of the listed contributions' })
  const roster = rosterOf(state.context, state.members)
  const signature = signStatement(openingStatement(roster, list.contributions, sum), secret)
  return {
    state: { ...state, phase: 'signed' },
    effects: [{ type: 'send', message: 'encryption-agreement', body: { organisation, signature } }],
  }
}

/** Only for the list that it signed itself, and only with the signatures of a quorum of its contributors. */
export function openPartially(state: ClientIn<'signed'>, { agreements }: ClientEventOf<'quorum'>): ClientStep {
  const { context, list, seed } = state
  const roster = rosterOf(context, state.members)
  const statement = openingStatement(roster, list.contributions, list.sum)
  requireSorted(agreements.map(({ organisation }) => organisation))
  const quorum = requireQuorum(context, list.contributions.length)
  if (agreements.length < quorum) fail('forbidden', `${agreements.length} signatures are fewer than ${quorum}`)
  for (const { organisation, signature } of agreements) {
    if (!list.contributions.some((one) => one.organisation === organisation))
      fail('invalid-request', `${organisation} is not among those who contributed`)
    requireSigned(context, organisation, statement, signature)
  }
  const order = { sum: list.sum, statement: digestOf(statement), seed: seedFor(seed, 'proof') }
  return { state: { ...state, phase: 'opening' }, effects: [{ type: 'open-partially', ...order }] }
}

export function givePartial(
  { organisation }: ClientOptions,
  state: ClientIn<'opening'>,
  { partial }: ClientEventOf<'partially-opened'>,
): ClientStep {
  const { weight, vector, list } = state
  const roster = rosterOf(state.context, state.members)
  const signed = openingStatement(roster, list.contributions, list.sum).list
  const report = { facts: encryptedFacts(state.context, roster), weight, vector, list: signed, sum: list.sum }
  return {
    state: { phase: 'given', report, partial },
    effects: [{ type: 'give', report, body: { organisation, partial } }],
  }
}
