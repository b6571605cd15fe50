/**
 * `kill -9` of the hub, of an organisation and of Postgres at every transition of a round under encryption: what encrypts and opens
 * is drawn anew in each training and once in a round; the sum that is opened is the same.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { dealtKey } from '../../apps/cli/demo/deal-keys.ts'
import { parseTrainingConfig } from '../../src/learning/config.ts'
import type { SchemeKind } from '../../src/privacy/homomorphic/scheme.ts'
import { CONFIG, HIDDEN, startFederation, type TestFederation } from './federation.ts'
import { prepareKilling, type Step, type Victim } from './killing.ts'

const participant = (id: string): string => `participant/${id}`
const decrypting = (id: string): string => `decrypting/${id}`
const encrypting = (id: string): string => `encrypting/${id}`

const AT_HUB: readonly Step[] = [
  { phase: 'opened', stream: decrypting, event: 'opened' },
  { phase: 'collecting weights', stream: decrypting, event: 'joined', nth: 2 },
  { phase: 'collecting ciphertexts', stream: decrypting, event: 'contribution', nth: 3 },
  { phase: 'adding', stream: decrypting, event: 'summed' },
  { phase: 'collecting signatures of the list', stream: decrypting, event: 'agreement', nth: 3 },
  { phase: 'collecting partial decryptions', stream: decrypting, event: 'partial', nth: 2 },
  { phase: 'opening the sum', stream: decrypting, event: 'combined' },
]

const AT_ORGANISATION: readonly Step[] = [
  { phase: 'drawing its seed', stream: encrypting, event: 'opened' },
  { phase: 'shown the roster', stream: encrypting, event: 'roster' },
  { phase: 'encrypting', stream: encrypting, event: 'encrypted' },
  { phase: 'shown the list', stream: encrypting, event: 'list' },
  { phase: 'checking the sum', stream: encrypting, event: 'summed' },
  { phase: 'shown the quorum', stream: encrypting, event: 'quorum' },
  { phase: 'opening partially', stream: encrypting, event: 'partially-opened' },
  { phase: 'noting what it opened', stream: participant, event: 'masked' },
]

async function prepare(scheme: SchemeKind) {
  const encryption = new Map<string, Awaited<ReturnType<typeof dealtKey>>>()
  const killing = prepareKilling(async () => {
    const federation = await startFederation({ scheme })
    encryption.set(federation.directory, await dealtKey(federation))
    return federation
  })
  const config = ({ directory }: TestFederation) =>
    parseTrainingConfig({ ...HIDDEN, protection: scheme, encryption: encryption.get(directory) })
  return { killing, config }
}

describe.each([
  { scheme: 'paillier', victims: ['hub', 'organisation', 'postgres'] },
  { scheme: 'ckks', victims: ['hub', 'organisation'] },
] as const)('under $scheme', async ({ scheme, victims }) => {
  const { killing, config } = await prepare(scheme)
  afterAll(() => killing.close())

  it('an undisturbed training verifies, and every node has the same', async () => {
    const { outcome } = await killing.undisturbed(config)
    expect(outcome).toMatchObject({ verified: true, sameOnAllNodes: true })
    expect(new Set(outcome.modelHashes).size).toBe(CONFIG.rounds + 1)
  })

  describe.each([
    { at: 'hub', steps: AT_HUB },
    { at: 'organisation', steps: AT_ORGANISATION },
  ] as const)('with the $at stopped at a transition', ({ at, steps }) => {
    describe.each(steps)('of a round that is, there, $phase', (step) => {
      const killed: readonly Victim[] = victims.filter((victim) => victim === at || victim === 'postgres')
      it.each(killed)('kill -9 of the %s changes no model and counts nobody twice', (victim) =>
        killing.kill({ at, step, victim, config }),
      )
    })
  })
})
