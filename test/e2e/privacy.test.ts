import pg from 'pg'
import { afterAll, expect, it } from 'vitest'
import { decodeLeaf } from '../../src/ledger/leaf.ts'
import { setConfigValue } from '../../src/node/config-edit.ts'
import { openControl } from '../../src/node/control.ts'
import { CONFIG, HIDDEN, ROUNDS, startFederation, type TestFederation } from './federation.ts'
import { storedBlobs } from './outcome.ts'

const PRIVACY = { unit: 'organisation', mechanism: 'local-discrete-gaussian', epsilon: 5, delta: 1e-6, clip: 1 }

let federation: TestFederation | undefined
afterAll(() => federation?.close())

interface Statement {
  readonly total_used: number
  readonly remaining_epsilon: number
  readonly limit: { readonly epsilon: number }
}

async function budgetOf(directory: string): Promise<Statement> {
  const control = await openControl(directory)
  try {
    return (await control.get('/privacy/privacy-budget')) as Statement
  } finally {
    control.close()
  }
}

/** Secrets of noise that are still stored. */
async function secretsLeft(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ left: string }>(
      `select count(*) as left from entente.streams where id like 'noise-seed/%' and state::jsonb ->> 'sealed' is not null`,
    )
    return Number(rows[0]?.left)
  } finally {
    await client.end()
  }
}

/** Milliseconds from the recorded spending of a round to the event that lets its contribution go; by round. */
async function headStart(databaseUrl: string): Promise<number[]> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ ms: number }>(
      `select extract(epoch from sent.recorded_at - spent.recorded_at)::float8 * 1000 as ms
       from entente.events spent join entente.events sent
         on sent.stream = 'participant/' || substr(spent.id, 7) and sent.event like '{"type":"trained"%'
       where spent.stream = 'privacy-budget' and spent.id like 'spend/%'`,
    )
    return rows.map(({ ms }) => ms)
  } finally {
    await client.end()
  }
}

const ROWS = { unit: 'example', epsilon: 2, delta: 1e-6, rowsPerHost: 50 }

it('organisations train with noise on single rows under secure aggregation, spend for it, and forget its secret', async () => {
  federation = await startFederation()
  const { members, operator } = federation
  await operator.startTraining({ config: { ...HIDDEN, privacy: ROWS }, trainingId: 'rows' })
  await federation.finish('rows')
  const blocks = (await operator.exportLedger()).leaves.map((leaf) => decodeLeaf(leaf))
  const stated = blocks.at(-1)?.provenance.privacy_params as Record<string, unknown>
  expect(stated).toMatchObject({ unit: 'example', rounds: ROUNDS, delta: 1e-6, clipping_norm: 1 })
  expect(stated['epsilon']).toBeGreaterThan(1.9)
  expect(stated['epsilon']).toBeLessThanOrEqual(2.0001)
  const noise = (stated['stages'] as { stage: string; parameters: object }[]).find(({ stage }) => stage === 'noise')
  expect(noise?.parameters).toMatchObject({
    mechanism: 'dp-sgd',
    sampling_rate: expect.closeTo(0.032, 6) as number,
    rows_per_host: 50,
  })
  for (const { provenance } of blocks.slice(1))
    expect(provenance.participants.map(({ sample_count }) => sample_count)).toEqual([1, 1, 1])
  for (const { directory } of members) expect((await budgetOf(directory)).total_used).toBeGreaterThan(1)
  for (const name of federation.organisations) expect(await secretsLeft(federation.databaseUrl(name))).toBe(0)
  // Neither the updates nor their masked form: what is left on a disk is what everybody has.
  const models = blocks.map(({ model_hash: model }) => model).toSorted()
  for (const { directory } of members)
    await expect.poll(() => storedBlobs(directory), { timeout: 30_000 }).toEqual([...new Set(models)])
  await federation.close()
}, 400_000)

it('organisations add noise, the block says what it proves, the budget is spent, and over budget they stay away', async () => {
  federation = await startFederation()
  const { members, operator } = federation
  await operator.startTraining({ config: { ...CONFIG, privacy: PRIVACY }, trainingId: 'private' })
  await federation.finish('private')

  const blocks = (await operator.exportLedger()).leaves.map((leaf) => decodeLeaf(leaf))
  const stated = blocks.map(({ provenance }) => provenance.privacy_params as Record<string, unknown>)
  expect(stated[0]).toMatchObject({ epsilon: null, stages: [] })
  expect(stated[ROUNDS]).toMatchObject({ unit: 'organisation', rounds: ROUNDS, delta: 1e-6, clipping_norm: 1 })
  const epsilon = stated[ROUNDS]?.['epsilon'] as number
  expect(epsilon).toBeGreaterThan(4.9)
  expect(epsilon).toBeLessThanOrEqual(5.0001)
  for (const { provenance } of blocks.slice(1))
    expect(provenance.participants.map(({ sample_count }) => sample_count)).toEqual([1, 1, 1])

  // P4: the spending is on disk before anything that the noise was added to can leave.
  for (const name of federation.organisations) {
    const ahead = await headStart(federation.databaseUrl(name))
    expect(ahead).toHaveLength(ROUNDS)
    expect(Math.min(...ahead)).toBeGreaterThan(0)
  }

  // A budget is stated at its own delta, 1e-5, so this training counts a little less than its 5 at 1e-6.
  for (const { directory } of members) {
    const { total_used, remaining_epsilon, limit } = await budgetOf(directory)
    expect(limit.epsilon).toBe(8)
    expect(total_used).toBeGreaterThan(4)
    expect(total_used).toBeLessThan(5)
    expect(remaining_epsilon + total_used).toBeCloseTo(8, 6)
  }

  await operator.startTraining({ config: { ...CONFIG, privacy: { ...PRIVACY, epsilon: 20 } }, trainingId: 'too-much' })
  await expect(federation.finish('too-much')).rejects.toThrow('failed')
  for (const { directory } of members) expect((await budgetOf(directory)).total_used).toBeLessThan(5)
  expect((await operator.exportLedger()).leaves).toHaveLength(blocks.length + 1)
}, 400_000)

it('a purpose that is over is declined, and no other: its limit holds from the next start, also after kill -9', async () => {
  federation = await startFederation()
  const { members, operator, group } = federation
  for (const { id, directory } of members) {
    await federation.kill(id)
    await setConfigValue(directory, ['privacyBudget', 'purposes'], { tuning: { epsilon: 2 } })
    await federation.start(id)
  }
  const tuning = { ...CONFIG, privacy: PRIVACY, purpose: 'tuning' }
  await operator.startTraining({ config: tuning, trainingId: 'tuned' })
  await expect(federation.finish('tuned')).rejects.toThrow('failed')
  await operator.startTraining({ config: { ...CONFIG, privacy: PRIVACY }, trainingId: 'private' })
  await federation.finish('private')

  const [first] = members
  const { code, stdout } = await group.run(['org', 'budget', '--dir', first?.directory ?? '', '--json'])
  expect(code).toBe(0)
  const { purposes } = JSON.parse(stdout) as { purposes: { purpose: string; limit: unknown; total_used: number }[] }
  expect(purposes.map(({ purpose, limit }) => [purpose, limit])).toEqual([
    ['training', null],
    ['tuning', { epsilon: 2, delta: 1e-5 }],
  ])
  // Half of the other training's epsilon is above 2: not even its first round fits.
  const [training, tuned] = purposes.map(({ total_used }) => total_used)
  expect(training).toBeGreaterThan(4)
  expect(tuned).toBe(0)
  const said = (await operator.exportLedger()).leaves.map((leaf) => decodeLeaf(leaf).provenance)
  expect(said.filter(({ participants }) => participants.length > 0).map(({ training_id }) => training_id)).toEqual(
    Array(ROUNDS).fill('private'),
  )
}, 400_000)
