import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/databases.ts'
import { roundId } from '../../base/ids.ts'
import { parseTrainingConfig } from '../../learning/config.ts'
import { type ExamplePlan, mechanismOf } from '../../learning/example-privacy.ts'
import { noiseOf } from '../../learning/organisation-privacy.ts'
import { examplePlanOf } from '../../learning/privacy-config.ts'
import { openPrivacyBudget, OWN_DATA } from '../privacy-budget/privacy-budget.ts'
import { systemRandom } from '../random.ts'
import { type Database, openDatabase } from '../storage/database.ts'
import { createJobs } from '../storage/jobs.ts'
import { createPostgresStore } from '../storage/postgres.ts'
import type { OrganisationContext } from './identity.ts'
import { forgetNoise, noiseSeed } from '../noise-seed.ts'
import { abandonProtection, reserveProtection } from './protect.ts'

const PRIVACY = { unit: 'organisation', mechanism: 'local-discrete-gaussian', epsilon: 4, delta: 1e-5, clip: 1 }
const config = parseTrainingConfig({ privacy: PRIVACY, rounds: 4 }, { kind: 'mlp', inputs: 2, hidden: [3] })
const MODEL = { kind: 'mlp', inputs: 2, hidden: [3] } as const
const ROWS = { privacy: { unit: 'example', epsilon: 2 }, rounds: 2, local: { batchSize: 100, rowsMax: 500 } }
const rows = parseTrainingConfig(ROWS, MODEL)
const DEVIATION = noiseOf(config)?.deviation ?? 0
const SECRET = new Uint8Array(32).fill(7)

let target: TestDatabase
let database: Database
const warnings: string[] = []
beforeAll(async () => {
  target = await testDatabase()
  database = await openDatabase(target.url)
})
afterAll(async () => {
  await database.close()
  await target.drop()
})

/** What these functions look at of a node. */
function node(secret = SECRET): OrganisationContext {
  const ports = {
    store: createPostgresStore(database),
    jobs: createJobs(database),
    clock: { now: () => 0 },
    random: systemRandom,
  }
  const log = { warn: (_: object, message: string) => void warnings.push(message), error: () => undefined }
  const partial = { ports, identity: { secret }, options: { log }, budget: openPrivacyBudget(ports) }
  return partial as unknown as OrganisationContext
}
const used = async (): Promise<number> =>
  (await node().budget.statements()).find(({ dataset }) => dataset === OWN_DATA)?.total_used ?? 0

async function noiseFor(context: OrganisationContext, round: string): Promise<number[]> {
  const protection = await reserveProtection(context, roundId(round), config, 100)
  const out = new Int32Array(100)
  protection?.drawNoise?.(DEVIATION, out)
  return [...out]
}

beforeEach(() => node().budget.setLimit(OWN_DATA, null, { epsilon: 4.01, delta: 1.01e-5 }))

describe('the protection of a round at an organisation (Postgres)', () => {
  it('sets the cost aside before work, and gives it back when nothing was sent', async () => {
    await noiseFor(node(), 'given-back-1')
    const reserved = await used()
    expect(reserved).toBeGreaterThan(1)
    await abandonProtection(node(), roundId('given-back-1'), config)
    expect(await used()).toBe(0)
  })

  it('draws the same noise again after a crash, and other noise in another round', async () => {
    const [first, again, other] = [
      await noiseFor(node(), 'twice-1'),
      await noiseFor(node(), 'twice-1'),
      await noiseFor(node(), 'twice-2'),
    ]
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
    const deviation = Math.sqrt(first.reduce((sum, value) => sum + value * value, 0) / 100)
    expect(Math.abs(deviation / DEVIATION - 1)).toBeLessThan(0.4)
    for (const round of ['twice-1', 'twice-2']) await abandonProtection(node(), roundId(round), config)
  })

  it('keeps its seed encrypted, to two processes the same, and removes it', async () => {
    const round = roundId('sealed-1')
    const [one, two] = await Promise.all([noiseSeed(node(), round), noiseSeed(node(), round)])
    expect(one).toEqual(two)
    const stored = JSON.stringify(await node().ports.store.readStream(`noise-seed/${round}`))
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(stored).not.toContain(Buffer.from(one).toString(encoding).slice(0, 40))
    await expect(noiseSeed(node(new Uint8Array(32).fill(8)), round)).rejects.toThrow()
    await forgetNoise(node(), round)
    await forgetNoise(node(), round)
    expect(await node().ports.store.readStream(`noise-seed/${round}`)).toMatchObject({ state: { sealed: null } })
    expect(JSON.stringify(await node().ports.store.readEvents(`noise-seed/${round}`))).not.toContain('sealed')
    await expect(noiseSeed(node(), round)).rejects.toMatchObject({ code: 'round-closed' })
  })

  it('says loudly that few organisations pay for it with their model', async () => {
    warnings.length = 0
    await noiseFor(node(), 'loud-1')
    expect(warnings.join()).toContain('with so few of them')
    await abandonProtection(node(), roundId('loud-1'), config)
  })

  it('takes from the budget for a share what the sum of shares costs, and not less', async () => {
    const shared = parseTrainingConfig(
      {
        privacy: { ...PRIVACY, mechanism: 'distributed-discrete-gaussian' },
        rounds: 4,
        round: { participantsMin: 10 },
      },
      MODEL,
    )
    const plan = noiseOf(shared)
    expect(plan?.survivorsMin).toBe(5)
    const protection = await reserveProtection(node(), roundId('shared-1'), shared, 100)
    const reserved = await used()
    expect(() => protection?.drawNoise?.((plan?.deviation ?? 0) + 1, new Int32Array(100))).toThrow()
    await abandonProtection(node(), roundId('shared-1'), shared)
    await noiseFor(node(), 'whole-1')
    expect(Math.abs(reserved / (await used()) - 1)).toBeLessThan(0.01)
    await abandonProtection(node(), roundId('whole-1'), config)
  })

  it('refuses noise other than it accounts for', async () => {
    const protection = await reserveProtection(node(), roundId('other-1'), config, 10)
    expect(() => protection?.drawNoise?.(DEVIATION - 1, new Int32Array(10))).toThrow(
      expect.objectContaining({ code: 'internal' }),
    )
    await abandonProtection(node(), roundId('other-1'), config)
  })

  it('protects rows with a secret that is stored before use: the same after a crash, another in another round', async () => {
    const rounds = ['rows-1', 'rows-1', 'rows-2']
    const protections = await Promise.all(rounds.map((round) => reserveProtection(node(), roundId(round), rows, 100)))
    const [first, again, other] = protections.map((protection) => protection?.privately)
    expect(first).toEqual(again)
    expect(first).toMatchObject({ steps: 5, clip: 1, rowsPerHost: 256 })
    expect(first?.secret).toHaveLength(32)
    expect(other?.secret).not.toEqual(first?.secret)
    for (const round of rounds) await abandonProtection(node(), roundId(round), rows)
  })

  it('refuses the round of rows that the budget cannot carry', async () => {
    const costly = parseTrainingConfig({ ...ROWS, privacy: { unit: 'example', epsilon: 20 } }, MODEL)
    await expect(reserveProtection(node(), roundId('costly-1'), costly, 100)).rejects.toMatchObject({
      code: 'budget-exceeded',
    })
  })

  it('lets a training take what it asked for and not one round more, whatever the hub announces', async () => {
    const rounds = ['r-1', 'r-2', 'r-3', 'r-4']
    for (const round of rounds) {
      const protection = await reserveProtection(node(), roundId(round), config, 100)
      await protection?.spend(undefined)
    }
    expect(await used()).toBeLessThanOrEqual(4.01)
    await expect(reserveProtection(node(), roundId('r-5'), config, 100)).rejects.toMatchObject({
      code: 'budget-exceeded',
    })
    // Spent is spent, also when the round comes to nothing.
    const before = await used()
    await abandonProtection(node(), roundId('r-4'), config)
    expect(await used()).toBe(before)
  })

  it('spends for rows what all rounds together may, and only for what the trainer says that it did', async () => {
    const mechanism = mechanismOf(examplePlanOf(rows) as ExamplePlan)
    await node().budget.setLimit(OWN_DATA, null, { epsilon: 8, delta: 2e-5 })
    const before = await used()
    const first = await reserveProtection(node(), roundId('row-1'), rows, 100)
    for (const other of [undefined, { ...mechanism, steps: 6 }, { ...mechanism, noiseMultiplier: 0.9 }])
      await expect(first?.spend(other)).rejects.toMatchObject({ code: 'internal' })
    expect(await used()).toBeGreaterThan(before)
    await abandonProtection(node(), roundId('row-1'), rows)
    expect(await used()).toBe(before)
    for (const round of ['row-2', 'row-3']) {
      const protection = await reserveProtection(node(), roundId(round), rows, 100)
      await protection?.spend(mechanism)
      await abandonProtection(node(), roundId(round), rows)
    }
    expect(await used()).toBeGreaterThan(before)
  })

  it('reserves under the purpose of the training, and declines when that is over, though the whole is not', async () => {
    const small = { epsilon: 2, delta: 1.01e-5 }
    await node().budget.setLimits(OWN_DATA, { epsilon: 50, delta: 1e-4, purposes: { tuning: small } })
    const tuning = { ...config, purpose: 'tuning' }
    const purposes = async () =>
      (await node().budget.statements()).find(({ dataset }) => dataset === OWN_DATA)?.purposes ?? []
    const before = (await purposes()).find(({ purpose }) => purpose === 'training')
    // One round of four that cost epsilon 4 together takes 1.84 on its own.
    const first = await reserveProtection(node(), roundId('tuned-1'), tuning, 100)
    await first?.spend(undefined)
    await expect(reserveProtection(node(), roundId('tuned-2'), tuning, 100)).rejects.toMatchObject({
      code: 'budget-exceeded',
      message: expect.stringContaining('privacyBudget.purposes.tuning') as string,
    })
    expect(await purposes()).toMatchObject([
      { purpose: 'training', total_used: before?.total_used },
      { purpose: 'tuning', limit: small, total_used: expect.closeTo(1.84, 2) as number },
    ])
    await noiseFor(node(), 'untuned-1')
    await abandonProtection(node(), roundId('untuned-1'), config)
    await node().budget.setLimits(OWN_DATA, { epsilon: 50, delta: 1e-4 })
  })

  it('asks nothing of a training without privacy', async () => {
    const plain = parseTrainingConfig({ privacy: null }, MODEL)
    expect(await reserveProtection(node(), roundId('plain-1'), plain, 100)).toBeNull()
    await abandonProtection(node(), roundId('plain-1'), plain)
  })
})
