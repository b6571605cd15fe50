import { describe, expect, it } from 'vitest'
import { canonicalJson, type Json } from '../base/canonical.ts'
import { EntenteError } from '../base/errors.ts'
import { digestOf } from '../base/hash.ts'
import { type Block, blockHash, proposeBlock, signBlock } from './block.ts'
import { contentOf, keyOf, MEMBERS, modelOf, named, ORGANISATIONS, secretOf, START, trained } from './fixtures.ts'
import { decodeLeaf, encodeLeaf, LEAF_BYTES_MAX } from './leaf.ts'
import { privacyFaults } from './privacy-claims.ts'
import { progressFaults, verifyBlock } from './rules.ts'

function reasonOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    if (error instanceof EntenteError) return error.details['reason']
    throw error
  }
  return 'accepted'
}

const hub = trained(2)
const leaves = hub.records.map(({ leaf }) => leaf)
const [first, second, third] = leaves.map((leaf) => decodeLeaf(leaf)) as [Block, Block, Block]

/** The block with changes, hashed and signed again by all: what colluding organisations could make. */
function resigned(block: Block, change: Partial<Block>, signers = ORGANISATIONS): Block {
  const changed = { ...block, ...change }
  const hashed: Block = { ...changed, hash: blockHash(changed) }
  return {
    ...hashed,
    org_signatures: Object.fromEntries(signers.map((name) => [name, signBlock(hashed, secretOf(name))])),
  }
}

const verified = (change: Partial<Block>, signers = ORGANISATIONS): unknown =>
  reasonOf(() => verifyBlock(resigned(third, change, signers), second, MEMBERS))
const metrics = (change: object): unknown =>
  verified({ aggregation_metrics: { ...third.aggregation_metrics, ...change } })
const provenance = (change: object): unknown => verified({ provenance: { ...third.provenance, ...change } })

describe('a block', () => {
  it('that a hub sealed is accepted', () => {
    expect(verifyBlock(first, undefined, MEMBERS)).toEqual(first)
    expect(verifyBlock(third, second, MEMBERS)).toEqual(third)
  })

  it('has the SHA-256 of its canonical form without hash and signatures', () => {
    const { hash, org_signatures, ...content } = third
    expect(hash).toBe(digestOf(content))
    expect(Object.keys(org_signatures)).toEqual(ORGANISATIONS)
  })

  it('out of place, out of chain or out of time is refused, each for its own reason', () => {
    expect(verified({})).toBe('accepted')
    expect(verified({ height: 3 })).toBe('height-wrong')
    expect(verified({ prev_hash: first.hash })).toBe('prev-hash-wrong')
    expect(verified({ timestamp: '2026-01-05T08:00:00.999Z' })).toBe('timestamp-backwards')
    expect(verified({ timestamp: second.timestamp })).toBe('accepted')
    expect(verified({ timestamp: '2026-02-30T08:00:00.000Z' })).toBe('timestamp-malformed')
    expect(verified({ timestamp: '2026-01-05 08:00' })).toBe('block-malformed')
    expect(reasonOf(() => verifyBlock(second, undefined, MEMBERS))).toBe('height-wrong')
  })

  it('whose metrics leave their bounds is refused', () => {
    expect(metrics({ num_clients: 4 })).toBe('num-clients-wrong')
    expect(metrics({ round: 3 })).toBe('round-wrong')
    expect(metrics({ convergence: -1 })).toBe('block-malformed')
    expect(metrics({ round: 1.5 })).toBe('block-malformed')
    for (const value of [null, '1', undefined]) expect(metrics({ gradient_norm: value })).toBe('block-malformed')
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(
        reasonOf(() =>
          verifyBlock(
            { ...third, aggregation_metrics: { ...third.aggregation_metrics, norm_difference: value } },
            second,
            MEMBERS,
          ),
        ),
      ).toBe('block-malformed')
  })

  it('with participants missing, repeated, unsorted or without samples is refused', () => {
    const { participants } = third.provenance
    const num = (count: number): object => ({
      aggregation_metrics: { ...third.aggregation_metrics, num_clients: count },
    })
    const listed = (list: readonly object[]): unknown =>
      verified({ ...num(list.length), provenance: { ...third.provenance, participants: list as never } })
    expect(listed(participants)).toBe('accepted')
    expect(listed(participants.toReversed())).toBe('participants-unsorted')
    expect(listed([...participants.slice(0, 1), ...participants])).toBe('participants-unsorted')
    expect(listed([])).toBe('participants-missing')
    for (const sample_count of [0, -1, 0.5, 1e300])
      expect(listed([{ ...participants[0], sample_count }])).toBe('block-malformed')
    expect(provenance({ parent_model: null })).toBe('parent-missing')
  })

  it('with a signature that is missing, foreign, wrong or by another organisation is refused', () => {
    expect(verified({}, [])).toBe('signatures-missing')
    expect(verified({}, named('bank-a'))).toBe('accepted')
    expect(verified({}, named('bank-a', 'stranger'))).toBe('signer-not-participant')
    const outsider = resigned(third, {})
    expect(reasonOf(() => verifyBlock(outsider, second, { 'bank-a': [keyOf('bank-a')] }))).toBe('signer-unknown')
    const swapped = {
      ...third,
      org_signatures: { ...third.org_signatures, 'bank-b': third.org_signatures[ORGANISATIONS[0] as never] },
    }
    expect(reasonOf(() => verifyBlock(swapped, second, MEMBERS))).toBe('signature-invalid')
  })

  it('signed by an organisation called "constructor" needs that organisation to be a member', () => {
    const others = Object.fromEntries(Object.entries(MEMBERS).filter(([name]) => name !== 'constructor'))
    expect(reasonOf(() => verifyBlock(third, second, others))).toBe('signer-unknown')
  })

  it('signed under a rotated key is accepted while the old key is among those valid at its height', () => {
    const rotated = { ...MEMBERS, 'bank-a': [keyOf('new key of bank-a'), keyOf('bank-a')] }
    expect(verifyBlock(third, second, rotated)).toEqual(third)
  })

  it('is not signed by an organisation that finds another hash than it was told', () => {
    expect(reasonOf(() => signBlock({ ...third, model_hash: modelOf('t1', 9) }, secretOf('bank-a')))).toBe('hash-wrong')
  })

  it('never dates back: a hub whose clock jumped takes the time of the block before', () => {
    expect(proposeBlock(contentOf('t1', 3, ORGANISATIONS), third, START - 1).timestamp).toBe(third.timestamp)
  })
})

describe('privacy parameters', () => {
  const reasons = (parameters: Json): string[] => [...privacyFaults(parameters)].map(({ reason }) => reason)

  it('may say that nothing was applied', () => {
    expect(reasons({})).toEqual([])
    expect(
      reasons({ epsilon: null, delta: null, clipping_norm: 1, stages: [{ stage: 'noise', applied: false }] }),
    ).toEqual([])
  })

  it('out of bounds are refused', () => {
    expect(reasons(null)).toEqual(['privacy-malformed'])
    expect(reasons([1])).toEqual(['privacy-malformed'])
    for (const parameters of [{ delta: 1 }, { delta: -1e-9 }, { clipping_norm: 0 }, { clipping_norm: 'one' }])
      expect(reasons(parameters)).toEqual(['privacy-out-of-bounds'])
    expect(reasons({ epsilon: 0 })).toContain('privacy-out-of-bounds')
  })

  it('that claim an epsilon without noise are refused, wherever the stages are recorded', () => {
    const noise = (applied: boolean): Json => ({ stage: 'noise', applied })
    for (const stages of [
      null,
      [],
      [noise(false)],
      [noise(true), noise(false)],
      { 'bank-a': [noise(true)], 'bank-b': [noise(false)] },
    ])
      expect(reasons({ epsilon: 1, delta: 1e-5, stages })).toEqual(['privacy-claim-unsupported'])
    expect(reasons({ epsilon: 1, delta: 1e-5, stages: [noise(true)] })).toEqual([])
    expect(reasons({ epsilon: 1, stages: { 'bank-a': [{ stage: 'clip', applied: true }, noise(true)] } })).toEqual([])
  })
})

describe('progress of a training', () => {
  const after = { t1: { round: 1, model: modelOf('t1', 1) }, t0: { round: 5, model: modelOf('t0', 5) } }
  const reasons = (change: { round?: number; parent?: string | null; training?: string }): string[] => {
    const { round = 2, parent = modelOf('t1', 1), training = 't1' } = change
    const block = {
      ...third,
      aggregation_metrics: { ...third.aggregation_metrics, round },
      provenance: { ...third.provenance, training_id: training, parent_model: parent as never },
    }
    return [...progressFaults(block, after)].map(({ reason }) => reason)
  }

  it('goes from each model to the next, gaps allowed', () => {
    expect(reasons({})).toEqual([])
    expect(reasons({ round: 7 })).toEqual([])
    expect(reasons({ round: 1 })).toEqual(['round-repeated'])
    expect(reasons({ parent: modelOf('t1', 0) })).toEqual(['parent-unknown'])
  })

  it('starts from nothing or from the newest model of some training', () => {
    expect(reasons({ training: 't2', round: 0, parent: null })).toEqual([])
    expect(reasons({ training: 't2', round: 1, parent: modelOf('t0', 5) })).toEqual([])
    expect(reasons({ training: 't2', round: 1, parent: modelOf('t0', 4) })).toEqual(['parent-unknown'])
    expect(reasons({ training: 'constructor', round: 0, parent: null })).toEqual([])
  })
})

describe('a leaf', () => {
  const leaf = leaves[2] as string
  const reason = (text: string): unknown => reasonOf(() => decodeLeaf(text))

  it('is the canonical JSON of its block, and back', () => {
    expect(encodeLeaf(third)).toBe(leaf)
    expect(leaf).toBe(canonicalJson(JSON.parse(leaf)))
  })

  it('in any other spelling is refused', () => {
    expect(reason(` ${leaf}`)).toBe('leaf-not-canonical')
    expect(reason(leaf.replace('"round":2', '"round":2.0'))).toBe('leaf-not-canonical')
    expect(reason(leaf.replace('"height":2', '"height":2,"height":2'))).toBe('leaf-not-canonical')
    expect(reason(leaf.replace('"height":2', '"height":1,"height":2'))).toBe('leaf-not-canonical')
    expect(reason(leaf.replace('fedavg', '\\u0066edavg'))).toBe('leaf-not-canonical')
    expect(reason(JSON.stringify({ zeta: 1, ...third }))).toBe('block-malformed')
    expect(reason(leaf.slice(0, -1))).toBe('leaf-not-json')
    expect(reason('null')).toBe('block-malformed')
    expect(reason('')).toBe('leaf-not-json')
  })

  it('with members that a prototype would swallow is refused', () => {
    const signature = Object.values(third.org_signatures)[0]
    expect(reason(leaf.replace('"org_signatures":{', `"org_signatures":{"__proto__":"${signature}",`))).not.toBe(
      'accepted',
    )
    expect(reason(leaf.replace('{"aggregation_metrics"', '{"__proto__":{"height":2},"aggregation_metrics"'))).not.toBe(
      'accepted',
    )
    expect(reason(leaf.replace('"convergence"', '"__proto__":{"x":1},"convergence"'))).not.toBe('accepted')
  })

  it('keeps members named __proto__ inside free-form JSON as data', () => {
    const text = leaf.replace('"training_config":{', '"training_config":{"__proto__":{"round":9},')
    const block = decodeLeaf(text)
    expect(canonicalJson(block)).toBe(text)
    expect(({} as { round?: number }).round).toBeUndefined()
    expect(reasonOf(() => verifyBlock(block, second, MEMBERS))).toBe('hash-wrong')
  })

  it('with a lone surrogate is refused', () => {
    expect(reason(leaf.replace('zeek', '\\ud800'))).toBe('leaf-not-canonical')
  })

  it('of more than 65,535 bytes is refused, counted in bytes', () => {
    const sized = (filler: string): Block => ({
      ...third,
      provenance: { ...third.provenance, training_config: filler },
    })
    const room = LEAF_BYTES_MAX - encodeLeaf(sized('')).length
    expect(encodeLeaf(sized('x'.repeat(room)))).toHaveLength(LEAF_BYTES_MAX)
    expect(reasonOf(() => encodeLeaf(sized('x'.repeat(room + 1))))).toBe('leaf-too-large')
    expect(reasonOf(() => encodeLeaf(sized('é'.repeat(room / 2 + 1))))).toBe('leaf-too-large')
    expect(reason(canonicalJson(sized('x'.repeat(room + 1))))).toBe('leaf-too-large')
  })

  it('nested deeper than 64 levels is refused before any parser recurses into it', () => {
    expect(reason('['.repeat(30_000))).toBe('leaf-too-deep')
    expect(
      reason(leaf.replace('"training_config":{', `"training_config":{"a":${'['.repeat(70)}${']'.repeat(70)},`)),
    ).toBe('leaf-too-deep')
    expect(reason(leaf.replace('zeek', '['.repeat(100)))).toBe('accepted')
    expect(reason(leaf.replace('zeek', `\\\\\\"${'['.repeat(100)}`))).toBe('accepted')
  })
})
