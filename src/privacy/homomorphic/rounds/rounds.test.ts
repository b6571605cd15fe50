import { describe, expect, it } from 'vitest'
import type { OrganisationId } from '../../../base/ids.ts'
import { encryptionClient } from './client.ts'
import { openingStatement, rosterOf, signStatement } from './context.ts'
import { identityOf, LENGTH, type Letter, nameOf, World } from './fixtures.ts'
import type { Contribution, ContributionList, Join } from './messages.ts'
import { decryptionServer } from './server.ts'

const listOf = (letter: Letter): ContributionList => letter.body as ContributionList
const isList = ({ message }: Letter): boolean => message === 'encryption-list'
const codes = (world: World): string[] => world.refused.map(({ error }) => error.code)
const partialsSent = (world: World): Letter[] => world.sent.filter(({ message }) => message === 'encryption-partial')

/** The plain sum of the quantised updates of those who count. */
function plainSum(world: World): number[] {
  const facts = world.hub.phase === 'done' ? world.hub.facts.survivors : []
  const vectors = facts.map(({ organisation }) => world.integers.get(organisation) ?? new Int32Array(LENGTH))
  return Array.from({ length: LENGTH }, (_, i) => vectors.reduce((sum, vector) => sum + (vector[i] ?? 0), 0))
}

/** Whoever drops out does so with this message. */
const silentFrom =
  (name: OrganisationId, first: Letter['message']) =>
  ({ from, message }: Letter): boolean => {
    const order = ['encryption-join', 'encryption-contribution', 'encryption-agreement', 'encryption-partial']
    return from === name && order.indexOf(message) >= order.indexOf(first)
  }

describe('a round under encryption', () => {
  it('opens exactly the plain sum of the quantised updates, and nothing else', async () => {
    const world = await new World({ count: 4 }).run()
    expect(world.refused).toEqual([])
    expect(world.hub.phase).toBe('done')
    expect([...(world.sums ?? [])]).toEqual(plainSum(world))
    expect(partialsSent(world)).toHaveLength(4)
    expect([...world.clients.values()].map(({ phase }) => phase)).toEqual(['given', 'given', 'given', 'given'])
  })

  it.each([
    ['its weight', 'encryption-join', 4],
    ['its contribution', 'encryption-contribution', 4],
    ['its agreement', 'encryption-agreement', 5],
    ['its partial decryption', 'encryption-partial', 5],
  ] as const)('goes on without one that drops out before %s', async (_, message, survivors) => {
    const world = await new World({ count: 5, silent: silentFrom(nameOf(2), message) }).run()
    if (world.hub.phase !== 'done') throw new Error(JSON.stringify(world.hub))
    expect(world.hub.facts.survivors).toHaveLength(survivors)
    expect([...(world.sums ?? [])]).toEqual(plainSum(world))
  })

  it('is abandoned below the quorum, and nobody is asked to open anything', async () => {
    const silent = ({ from, message }: Letter): boolean =>
      (from === nameOf(0) || from === nameOf(1)) && message === 'encryption-contribution'
    const world = await new World({ count: 4, silent }).run()
    expect(world.hub).toMatchObject({ phase: 'abandoned', reason: 'too-few-contributions' })
    expect(world.sent.filter(isList)).toEqual([])
  })

  it('names who gives a wrong partial decryption, and opens without it', async () => {
    const tamper = (owner: string, message: string, bytes: Uint8Array): Uint8Array =>
      owner === nameOf(1) && message === 'encryption-partial' ? bytes.with(100, (bytes[100] ?? 0) ^ 1) : bytes
    const world = await new World({ count: 5, tamper }).run()
    expect(world.hub).toMatchObject({ phase: 'done', facts: { blamed: ['org-1'] } })
    expect([...(world.sums ?? [])]).toEqual(plainSum(world))
  })

  it('ends, and names them, when too many partial decryptions are wrong', async () => {
    const tamper = (owner: string, message: string, bytes: Uint8Array): Uint8Array =>
      owner !== nameOf(0) && message === 'encryption-partial' ? bytes.with(100, (bytes[100] ?? 0) ^ 1) : bytes
    const world = await new World({ count: 4, tamper }).run()
    expect(world.hub).toMatchObject({
      phase: 'abandoned',
      reason: 'too-few-shares',
      blamed: ['org-1', 'org-2', 'org-3'],
    })
    expect(world.sums).toBeUndefined()
  })

  it.each([
    ['sum', 'abandoned'],
    ['combine', 'given'],
  ] as const)('ends, with the reason, when the work to %s fails for good', async (failing, left) => {
    const world = await new World({ count: 4, failing }).run()
    expect(world.hub).toMatchObject({ phase: 'abandoned', reason: 'opening-failed', detail: 'unreadable' })
    expect([...world.clients.values()].map(({ phase }) => phase)).toEqual(Array(4).fill(left))
    expect(world.sums).toBeUndefined()
  })

  it('leaves no secret in any state, and replays to the same states', async () => {
    const world = await new World({ count: 4, silent: silentFrom(nameOf(3), 'encryption-agreement') }).run()
    for (const [name, state] of world.clients)
      expect(JSON.stringify(state).includes('seed'), name).toBe(state.phase === 'signed' || name === nameOf(3))
    const hub = world.hubLog.reduce(
      (state, event) => decryptionServer().step(state, event).state,
      decryptionServer().initial(''),
    )
    expect(JSON.parse(JSON.stringify(hub))).toEqual(world.hub)
    for (const [organisation, log] of world.clientLogs) {
      const machine = encryptionClient({ organisation, secret: identityOf(organisation) })
      const state = log.reduce((before, event) => machine.step(before, event).state, machine.initial(''))
      expect(JSON.parse(JSON.stringify(state))).toEqual(world.clients.get(organisation))
    }
  })

  it('takes every letter twice without changing anything', async () => {
    const world = await new World({ count: 4, intercept: (letter) => [letter, letter] }).run()
    expect(world.hub.phase).toBe('done')
    expect(codes(world).every((code) => code === 'round-closed')).toBe(true)
    expect([...(world.sums ?? [])]).toEqual(plainSum(world))
  })
})

describe('a lying hub', () => {
  /** Shows everybody another list than the true one. */
  const showing = (change: (list: ContributionList) => ContributionList) =>
    new World({
      count: 5,
      intercept: (letter) => [isList(letter) ? { ...letter, body: change(listOf(letter)) } : letter],
    }).run()
  async function expectNothing(world: World, code: string): Promise<void> {
    expect(codes(world)).toContain(code)
    expect(partialsSent(world)).toEqual([])
    expect(world.hub.phase).toBe('abandoned')
  }

  it('cannot have a single contribution opened', async () => {
    const one = await showing((list) => {
      const contributions = list.contributions.slice(0, 1)
      return { contributions, sum: contributions[0]?.vector ?? list.sum }
    })
    await expectNothing(one, 'forbidden')
  })

  it('cannot have the sum of a few opened, nor one contribution counted twice', async () => {
    await expectNothing(
      await showing((list) => ({ ...list, contributions: list.contributions.slice(0, 3) })),
      'forbidden',
    )
    const twice = await showing((list) => {
      const [a, b, ...rest] = list.contributions
      return { ...list, contributions: [a, { ...b, vector: a?.vector }, ...rest] as never }
    })
    await expectNothing(twice, 'forbidden')
  })

  it('cannot put a contribution of its own in the place of another’s', async () => {
    const world = await showing((list) => {
      const forged = list.contributions.map((one, i) => (i === 4 ? { ...one, vector: '0'.repeat(64) as never } : one))
      return { ...list, contributions: forged }
    })
    await expectNothing(world, 'signature-invalid')
  })

  it('cannot have another ciphertext opened than the sum of the list', async () => {
    const world = await showing((list) => ({ ...list, sum: list.contributions[0]?.vector ?? list.sum }))
    expect(partialsSent(world)).toEqual([])
    for (const state of world.clients.values())
      expect(state).toMatchObject({ phase: 'abandoned', reason: expect.stringContaining('not that of the listed') })
  })

  it('gets one signature of each, for one list: a second is refused', async () => {
    const world = await new World({
      count: 5,
      intercept: (letter) => {
        if (!isList(letter)) return [letter]
        const list = listOf(letter)
        const shorter = { ...list, contributions: list.contributions.slice(1) }
        return [letter, { ...letter, body: shorter }]
      },
    }).run()
    expect(world.hub.phase).toBe('done')
    expect(codes(world).filter((code) => code === 'forbidden').length).toBeGreaterThanOrEqual(4)
    expect(partialsSent(world)).toHaveLength(5)
  })

  it('gets no partial decryption without a quorum of true signatures for that very list', async () => {
    const cut = (body: unknown): unknown => (body as unknown[]).slice(1)
    const few = await new World({
      count: 5,
      intercept: (letter) => [letter.message === 'encryption-quorum' ? { ...letter, body: cut(letter.body) } : letter],
    }).run()
    expect(partialsSent(few)).toEqual([])
    const forged = await new World({
      count: 5,
      intercept: (letter, { context, hub }) => {
        if (letter.message !== 'encryption-quorum' || hub.phase !== 'opening') return [letter]
        const statement = openingStatement(rosterOf(context, hub.members), [], hub.list.sum)
        const body = (letter.body as { organisation: string }[]).map(({ organisation }) => ({
          organisation,
          signature: signStatement(statement, identityOf(organisation)),
        }))
        return [{ ...letter, body }]
      },
    }).run()
    expect(codes(forged)).toContain('signature-invalid')
    expect(partialsSent(forged)).toEqual([])
  })

  it('cannot make up weights or members of the roster', async () => {
    const change = (letter: Letter, alter: (all: Join[]) => Join[]): Letter =>
      letter.message === 'encryption-roster' ? { ...letter, body: alter(letter.body as Join[]) } : letter
    const heavier = await new World({
      count: 4,
      intercept: (letter) => [change(letter, (all) => all.map((one, i) => (i === 0 ? { ...one, weight: 1 } : one)))],
    }).run()
    expect(codes(heavier)).toContain('signature-invalid')
    const fewer = await new World({ count: 4, intercept: (letter) => [change(letter, (all) => all.slice(0, 2))] }).run()
    expect(codes(fewer)).toContain('forbidden')
    expect(heavier.integers.size + fewer.integers.size).toBe(0)
  })
})

describe('a lying organisation', () => {
  it('cannot send another’s contribution as its own, signed or not, or in another’s name', async () => {
    const world = await new World({
      count: 4,
      intercept: (letter, { sent, hub, context }) => {
        if (letter.message !== 'encryption-contribution' || letter.from !== nameOf(3)) return [letter]
        const stolen = sent.find(({ from, message }) => from === nameOf(0) && message === letter.message)?.body
        const { vector } = stolen as Contribution
        const { digest: roster } = rosterOf(context, hub.phase === 'gathering' ? hub.members : [])
        const statement = { statement: 'contribution', roster, organisation: nameOf(3), vector } as const
        const signature = signStatement(statement, identityOf(nameOf(3)))
        const bodies = [
          stolen,
          { ...(stolen as Contribution), organisation: nameOf(3) },
          { organisation: nameOf(3), vector, signature },
        ]
        return bodies.map((body) => ({ ...letter, body }))
      },
    }).run()
    expect(codes(world)).toEqual(['impersonation', 'signature-invalid', 'forbidden'])
    expect(world.hub).toMatchObject({ phase: 'done', facts: { joined: 4 } })
  })

  it('of the hub’s friends cannot get in what it does not know: nobody signs a list with it', async () => {
    // Its own ciphertexts, without the proof: what it could also do with ciphertexts made of those of others.
    const tamper = (owner: string, message: string, bytes: Uint8Array): Uint8Array =>
      owner === nameOf(2) && message === 'encryption-contribution' ? bytes.subarray(0, 48 + 2 * 128) : bytes
    const world = new World({ count: 4, tamper })
    await expect(world.run()).rejects.toMatchObject({ details: { reason: 'not-proved' } })
    expect(world.sent.filter(({ message }) => message === 'encryption-agreement')).toEqual([])
  })

  it('is refused a second, different message, and anything too late', async () => {
    const world = await new World({
      count: 4,
      intercept: (letter) =>
        letter.message === 'encryption-partial' && letter.from === nameOf(0)
          ? [letter, { ...letter, body: { organisation: nameOf(0), partial: '1'.repeat(64) } }]
          : [letter],
    }).run()
    expect(codes(world)).toEqual(['already-submitted'])
    expect(world.hub.phase).toBe('done')
  })
})
