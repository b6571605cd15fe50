/**
 * What the quorum does not stop. A hub hands one half of the honest organisations another list than the other, and those in
 * league with it sign both: the difference of the two sums is one contribution. It takes 2q - N of N, with q signatures.
 */

import { beforeAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../../base/bytes.ts'
import { digestOf, sha256 } from '../../../base/hash.ts'
import type { OrganisationId } from '../../../base/ids.ts'
import { planFor } from '../../masking/plan.ts'
import { openingStatement, rosterOf, signStatement } from './context.ts'
import { identityOf, type Letter, nameOf, World } from './fixtures.ts'
import type { Agreement, ContributionList, Join } from './messages.ts'

const COUNT = 4
const VICTIM = nameOf(0)

let honest: World
beforeAll(async () => void (honest = await new World({ count: COUNT }).run()))

const bodyOf = (world: World, message: Letter['message']): unknown =>
  world.sent.find((letter) => letter.message === message)?.body

/** Contributions are the same in every run: they follow from seeds. */
async function listWithout(world: World, left: readonly OrganisationId[]): Promise<ContributionList> {
  const all = (bodyOf(honest, 'encryption-list') as ContributionList).contributions
  const contributions = all.filter(({ organisation }) => !left.includes(organisation))
  const vectors = contributions.map(({ vector }) => honest.blob(vector))
  return { contributions, sum: world.store(await world.scheme.add(vectors)) }
}

const statementOf = ({ context }: World, { contributions, sum }: ContributionList) =>
  openingStatement(rosterOf(context, bodyOf(honest, 'encryption-roster') as Join[]), contributions, sum)

/** A round whose hub shows each organisation the list that `lists` has for it, and whose league signs any of them. */
class Divided {
  readonly lists = new Map<OrganisationId, ContributionList>()
  readonly league: readonly OrganisationId[]
  readonly world: World

  constructor(league: readonly OrganisationId[]) {
    this.league = league
    this.world = new World({ count: COUNT, intercept: (letter) => this.#intercept(letter) })
  }

  #intercept(letter: Letter): Letter[] {
    if (letter.message === 'encryption-quorum') return []
    if (letter.message === 'encryption-list') {
      const list = this.lists.get(letter.to as OrganisationId)
      return list === undefined ? [] : [{ ...letter, body: list }]
    }
    if (letter.message !== 'encryption-agreement') return [letter]
    const { organisation } = letter.body as Agreement
    return [
      { from: 'hub', to: organisation, message: 'encryption-quorum', body: this.#quorum(letter.body as Agreement) },
    ]
  }

  #quorum(own: Agreement): Agreement[] {
    const list = this.lists.get(own.organisation)
    if (list === undefined) return []
    const statement = statementOf(this.world, list)
    const signed = this.league.map((organisation) => ({
      organisation,
      signature: signStatement(statement, identityOf(organisation)),
    }))
    return [own, ...signed].sort((a, b) => (a.organisation < b.organisation ? -1 : 1))
  }

  /** The list's sum, opened with the honest one's partial decryption and those of the league. */
  async opened(reader: OrganisationId): Promise<number[] | undefined> {
    const { scheme, dealt } = this.world
    const list = this.lists.get(reader)
    const given = this.world.sent.find(({ from, message }) => from === reader && message === 'encryption-partial')
    if (list === undefined || given === undefined) return undefined
    const sum = this.world.blob(list.sum)
    const statement = digestOf(statementOf(this.world, list))
    const partials = [{ organisation: reader, bytes: this.world.blob((given.body as { partial: never }).partial) }]
    for (const organisation of this.league) {
      const share = dealt.shares.find((one) => one.organisation === organisation)?.share
      const bytes = await scheme.partialDecrypt(sum, share, statement, sha256(utf8(organisation)))
      partials.push({ organisation, bytes })
    }
    const combination = await scheme.combine(sum, partials, statement)
    return combination.opened ? [...combination.sums] : undefined
  }
}

async function divided(league: readonly OrganisationId[]): Promise<Divided> {
  const round = new Divided(league)
  round.lists.set(VICTIM, await listWithout(round.world, []))
  round.lists.set(nameOf(1), await listWithout(round.world, [VICTIM]))
  await round.world.run()
  return round
}

describe('what the quorum does not stop', () => {
  it('is a hub with 2q - N organisations, two of four: two lists get their quorum, and the difference is one contribution', async () => {
    const { quorum } = planFor(COUNT, COUNT, honest.context.policy)
    expect(2 * quorum - COUNT).toBe(2)
    const round = await divided([nameOf(2), nameOf(3)])
    const [all, others] = [await round.opened(VICTIM), await round.opened(nameOf(1))]
    const read = all?.map((value, i) => value - (others?.[i] ?? 0))
    expect(read).toEqual([...(honest.integers.get(VICTIM) ?? [])])
  })

  it('is stopped with one fewer in league: nobody opens anything', async () => {
    const round = await divided([nameOf(3)])
    expect(round.world.sent.filter(({ message }) => message === 'encryption-partial')).toEqual([])
    expect(round.world.refused.map(({ error }) => error.code)).toContain('forbidden')
  })
})
