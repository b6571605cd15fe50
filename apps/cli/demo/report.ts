/** What the demo says at its end: one document for programs, one table for people. */

import type { Protection } from '../../../src/learning/masking-config.ts'
import type { Evaluation, Metrics } from '../../../src/node/evaluate.ts'
import { columns } from '../output.ts'

export interface OrganisationSummary {
  readonly id: string
  readonly interactions: number
  readonly positives: number
  readonly stealthyPositives: number
  /** Attack families that this organisation has labels of. */
  readonly investigated: readonly string[]
  /**
   * Whether it has any interaction before the cut that the model can learn from: a perceptron needs labels. A site of a
   * small capture may have none, and declines rounds.
   */
  readonly learns: boolean
}

export interface RoundSummary {
  readonly round: number
  readonly participants: number
  readonly durationMs: number
  readonly normDifference: number
  readonly gradientNorm: number
  readonly convergenceRate: number
}

export interface LedgerSummary {
  readonly height: number
  /** True only if a separate verifier process accepted the exported ledger. */
  readonly verified: boolean
  readonly modelHash: string
  /** True only if every node reports this model hash and this ledger head. */
  readonly sameOnAllNodes: boolean
}

export interface ProtectionSummary {
  readonly mode: Protection
  /** Of what hid the updates, as the block has them. */
  readonly parameters: Readonly<Record<string, string | number>>
}

export interface PrivacySummary {
  readonly unit: 'example' | 'organisation'
  /** Of all rounds together, from the last block. */
  readonly epsilon: number
  readonly delta: number
  /** Against whom it holds; null = everybody but the organisation itself. */
  readonly against: string | null
  /** Rows that a host may have in the training; null where whole organisations are protected. */
  readonly rowsPerHost: number | null
  /** Epsilon that each organisation's own budget says is spent. */
  readonly spent: Readonly<Record<string, number>>
}

export interface AttackSummary {
  readonly kind: string
  readonly organisations: readonly string[]
  /** The rule of the last block; null = the mean, which withstands nothing. */
  readonly rule: string | null
  readonly rounds: number
  /** Rounds in which a liar took part, those in which the block calls its update unusual, or left it out: all liars together. */
  readonly lies: number
  readonly flagged: number
  readonly leftOut: number
  /** Honest updates that a block calls unusual. */
  readonly falseFlags: number
  /** By organisation, from the ledger alone: 0 to 1, 0.5 = unknown. */
  readonly reputations: Readonly<Record<string, number>>
}

export interface DemoReport {
  readonly source: string
  /** `own`: each organisation has labels only of the families that it investigated. */
  readonly labels: 'own' | 'all'
  readonly labelSource: 'generator' | 'capture' | 'synthetic-campaigns'
  readonly model: string
  readonly strategy: string
  readonly protection: ProtectionSummary
  /** Null: no noise was added. */
  readonly privacy: PrivacySummary | null
  /** Of each round, what validators found on later traffic of theirs, in nats; null where fewer than three spoke in time. */
  readonly quality?: readonly (number | null)[]
  /** Only with `--attack`. */
  readonly attack?: AttackSummary
  readonly seed: number
  readonly orgs: readonly OrganisationSummary[]
  readonly rounds: readonly RoundSummary[]
  readonly metrics: Evaluation['metrics']
  readonly ledger: LedgerSummary
  readonly phasesMs: Readonly<Record<string, number>>
  /** Peak of the resident set sizes of all processes, added up. */
  readonly peakRssBytes: number
  /** The same with pages that several processes share counted once; null where the system does not tell. */
  readonly peakPssBytes: number | null
  readonly wallMs: number
  readonly kept?: string
}

/** The table and the sentences that explain it. */
export function renderReport(report: DemoReport): string {
  return [
    '',
    organisationsTable(report),
    '',
    ...metricsTables(report),
    '',
    ...headline(report),
    ...explanation(report),
    '',
    ...attackLines(report),
    ...qualityLines(report),
    ...protectionLines(report),
    ...privacyLines(report),
    ledgerLines(report),
    resourceLine(report),
    ...(report.kept === undefined
      ? []
      : [
          `Everything is kept in ${report.kept}; check it with: npm run entente -- ledger verify ${report.kept}/federation.ledger.json --keys ${report.kept}/federation.keys.json`,
        ]),
  ].join('\n')
}

function organisationsTable(report: DemoReport): string {
  const rows = report.orgs.map((org) => [
    org.id,
    count(org.interactions),
    count(org.positives),
    count(org.stealthyPositives),
    org.investigated.length === 0 ? '(none)' : shorten(org.investigated),
  ])
  return columns([['Organisation', 'interactions', 'attacks', 'stealthy', 'has labels of'], ...rows])
}

function shorten(families: readonly string[]): string {
  const shown = families.slice(0, 4).join(', ')
  return families.length > 4 ? `${shown} and ${families.length - 4} more` : shown
}

function metricsTables(report: DemoReport): string[] {
  const { local, federated, centralised, counter, oneBit } = report.metrics
  const heading = ['Later traffic, scored by', 'AUC', 'AP', 'stealthy AUC', 'stealthy AP', 'others’ attacks found *']
  const rowsFor = (pick: (metrics: Metrics) => Metrics['unique']): string[][] => [
    ...Object.entries(local).map(([id, metrics]) => line(`  ${id} alone`, metrics === null ? null : pick(metrics))),
    ...Object.entries(federated.byOrganisation).map(([id, metrics]) =>
      line(`  ${id} with the federation`, metrics === null ? null : pick(metrics)),
    ),
    line('Federation, all organisations', pick(federated)),
    line('Everything in one place', pick(centralised)),
    line('Counter (MIDAS-F)', pick(counter)),
    line('One bit: source is external', pick(oneBit)),
  ]
  return [
    'On every interaction:',
    columns([heading, ...rowsFor((metrics) => metrics)]),
    '',
    'On unique (source, destination, minute) triples, which no flood can inflate:',
    columns([heading, ...rowsFor((metrics) => metrics.unique)]),
  ]
}

function line(name: string, metrics: Metrics['unique'] | null): string[] {
  if (metrics === null) return [name, 'no labels to train on']
  const { auc, ap, stealthyAuc, stealthyAp, othersRecall } = metrics
  return [name, ...[auc, ap, stealthyAuc, stealthyAp, othersRecall].map(figure)]
}

/** The one sentence that says what taking part was worth; on triples, where a flood counts as little as a single scan. */
function headline({ metrics }: DemoReport): string[] {
  const federated = metrics.federated.unique.othersRecall
  if (federated === null) return []
  const others = [
    ['each organisation alone', metrics.localPooled?.unique.othersRecall ?? null],
    ['a counter without labels', metrics.counter.unique.othersRecall],
  ] as const
  const comparisons = others.map(([who, share]) => (share === null ? '' : `, ${who} ${percent(share)}`))
  return [
    'Of the attack triples that only others had labels of,',
    `the federated model finds ${percent(federated)}${comparisons.join('')}.`,
    '',
  ]
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

const LABELS = {
  own: 'Each organisation knows the families that it investigated; its other attacks are left out of its training.',
  all: 'Every organisation knows the labels of all its traffic.',
} as const

const SYNTHETIC = [
  '',
  'NOTE: this capture has no labels of both attack and benign traffic. Labelled campaigns of the traffic generator were',
  'laid over it, and all else was taken for benign: the figures say how those campaigns stand out, nothing of attacks in it.',
]

function explanation(report: DemoReport): string[] {
  return [
    '* share of the attacks of families that only other organisations had labels of, found at 1 % false positives.',
    '  This is what an organisation gains by taking part: alone it has never been told that such an attack is one.',
    `  ${LABELS[report.labels]} AUC: 0.5 is chance, 1 is perfect. AP: precision averaged over recall.`,
    ...(report.labelSource === 'synthetic-campaigns' ? SYNTHETIC : []),
  ]
}

function attackLines({ attack }: DemoReport): string[] {
  if (attack === undefined) return []
  const { organisations, rule, lies, flagged, leftOut, falseFlags, reputations } = attack
  const standing = Object.entries(reputations).map(([name, score]) => `${name} ${score.toFixed(2)}`)
  return [
    `Attack: ${organisations.join(', ')} sent three times the opposite of what was learned, ${lies} times.`,
    rule === null
      ? '  The mean was taken: nothing stood against it.'
      : `  ${rule} left out ${leftOut} of these updates; blocks call ${flagged} of them unusual (far from the rest, or against the step before), and ${falseFlags} honest ones.`,
    ...(standing.length === 0
      ? []
      : [`  Reputation from the ledger: ${standing.join(', ')} (0.5 = unknown; nobody is excluded by it)`]),
    '',
  ]
}

function qualityLines({ quality = [] }: DemoReport): string[] {
  if (quality.every((one) => one === null)) return []
  const each = quality.map((one) => (one === null ? '-' : one.toFixed(2)))
  return [
    `Validators: each model took off the loss of a row, in nats (median of at least three organisations): ${each.join(' ')}`,
  ]
}

const UNITS = {
  example: 'one training row: an interaction with its features as they were computed. A host has up to',
  organisation: 'a whole organisation: all that it has.',
} as const

function privacyLines({ privacy }: DemoReport): string[] {
  if (privacy === null)
    return ['WARNING: no differential privacy: updates and models tell what single interactions were.']
  const { unit, epsilon, delta, against, rowsPerHost, spent } = privacy
  const host = unit === 'example' ? ` ${rowsPerHost} rows, and is protected less.` : ''
  const each = Object.entries(spent).map(([id, used]) => `${id} ${used.toFixed(2)}`)
  return [
    `Differential privacy: epsilon ${epsilon.toFixed(2)} at delta ${delta} for ${UNITS[unit]}${host}`,
    `It holds against ${(against ?? 'everybody else').replace(/^hub/, 'the hub')}.`,
    `Spent of each budget: ${each.join(', ')}`,
  ]
}

function protectionLines({ protection: { mode, parameters } }: DemoReport): string[] {
  if (mode === 'plain') return ['WARNING: protection "plain": the hub has seen the update of every organisation.']
  const { protocol, members, quorum, threshold, scheme } = parameters
  if (scheme !== undefined)
    return [
      `Updates: encrypted with ${scheme} (${members} organisations, ${quorum} sign, ${threshold} open a sum)${scheme === 'ckks' ? '; each of them can read all of them' : ''}`,
    ]
  return [
    `Updates: hidden from the hub and from each other (${protocol}; ${members} organisations, ${quorum} sign, ${threshold} open a mask)`,
  ]
}

function ledgerLines(report: DemoReport): string {
  const { height, verified, modelHash, sameOnAllNodes } = report.ledger
  return [
    `Ledger: ${height + 1} blocks, ${verified ? 'verified by a separate process with public keys only' : 'DOES NOT VERIFY'}`,
    `Model ${modelHash.slice(0, 16)}…: ${sameOnAllNodes ? 'the same on every node, and so is the ledger head' : 'NOT THE SAME on every node'}`,
  ].join('\n')
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}

function resourceLine(report: DemoReport): string {
  const seconds = (report.wallMs / 1000).toFixed(1)
  const once = report.peakPssBytes === null ? '' : ` (${megabytes(report.peakPssBytes)} with shared pages counted once)`
  return `${seconds} s, at most ${megabytes(report.peakRssBytes)} resident in all processes added up${once}`
}

function figure(value: number | null): string {
  // Not a number: there are no such attacks in the later traffic, so nothing can be measured.
  return value === null || Number.isNaN(value) ? '-' : value.toFixed(3)
}

function count(value: number): string {
  return value.toLocaleString('en')
}
