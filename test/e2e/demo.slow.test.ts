/** `entente demo`: the documented report, two at once, an interrupt at any moment, and captures of other tools. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { sharedPath } from '../shared.ts'
import { descendantsOf, isAlive } from './process-tree.ts'

const MAIN = fileURLToPath(new URL('../../apps/main.ts', import.meta.url))

/** Null where the later traffic has no such attacks. */
const rate = z.number().min(0).max(1).nullable()
const figures = z.object({
  auc: rate,
  ap: rate,
  stealthyAuc: rate,
  stealthyAp: rate,
  /** Null where there is no family that only others have labels of. */
  othersRecall: rate,
})
const metrics = figures.extend({ unique: figures })
/** The fields that the README and the help promise. */
const reportSchema = z.object({
  orgs: z.array(
    z.object({
      id: z.string(),
      interactions: z.int().positive(),
      positives: z.int().nonnegative(),
      learns: z.boolean(),
      stealthyPositives: z.int().nonnegative(),
    }),
  ),
  rounds: z.array(
    z.object({
      round: z.int().positive(),
      participants: z.int().positive(),
      durationMs: z.number().positive(),
      normDifference: z.number().positive(),
      gradientNorm: z.number().positive(),
      convergenceRate: z.number().nonnegative(),
    }),
  ),
  metrics: z.object({
    local: z.record(z.string(), metrics.nullable()),
    federated: metrics,
    centralised: metrics,
    counter: metrics,
  }),
  ledger: z.object({
    height: z.int(),
    verified: z.literal(true),
    modelHash: z.string().regex(/^[0-9a-f]{64}$/),
    sameOnAllNodes: z.literal(true),
  }),
  privacy: z
    .object({
      unit: z.literal('example'),
      epsilon: z.number().positive(),
      spent: z.record(z.string(), z.number().nonnegative()),
    })
    .nullable(),
  /** Only with `--attack`. */
  attack: z
    .object({
      organisations: z.array(z.string()),
      rule: z.string().nullable(),
      lies: z.int(),
      leftOut: z.int(),
      flagged: z.int(),
      reputations: z.record(z.string(), z.number().min(0).max(1)),
    })
    .optional(),
  peakRssBytes: z.int().positive(),
  peakPssBytes: z.int().positive().nullable(),
  wallMs: z.int().positive(),
})

/** Temporary files of the demos go here, so that nothing else can be mistaken for theirs. */
let directory = ''
const started: ChildProcess[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entente-demo-test-'))
  // As root, the database server runs as another user, who must be able to reach its files.
  await chmod(directory, 0o755)
})

afterEach(async () => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

interface RunningDemo {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
  /** Resolves when standard error contains this. */
  said(text: string): Promise<void>
}

function startDemo(...args: string[]): RunningDemo {
  const child = spawn(process.execPath, [MAIN, 'demo', '--orgs', '3', '--rounds', '2', ...args], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  const heard = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk: Buffer) => (heard.stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (heard.stderr += chunk.toString()))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...heard }))
  async function said(text: string): Promise<void> {
    while (!heard.stderr.includes(text)) {
      if (child.exitCode !== null) throw new Error(`the demo ended before it said "${text}": ${heard.stderr}`)
      await sleep(20)
    }
  }
  return { child, ended, said }
}

async function reportOf(...args: string[]) {
  const file = join(directory, `report-${started.length}.json`)
  const { code, stderr } = await startDemo('--json', file, ...args).ended
  expect(code, stderr).toBe(0)
  return reportSchema.parse(JSON.parse(await readFile(file, 'utf8')))
}

/** Temporary directories that a demo has left. */
const leftFiles = async (): Promise<string[]> => (await readdir(directory)).filter((name) => !name.endsWith('.json'))

describe('a demo', () => {
  it('ends with 0 and the documented report, twice at once, with the same model and nothing left behind', async () => {
    // Noise is secret, so no two models with it are the same.
    const [first, second] = await Promise.all([reportOf('--epsilon', 'off'), reportOf('--epsilon', 'off')])
    for (const report of [first, second]) {
      expect(report.orgs).toHaveLength(3)
      expect(Object.keys(report.metrics.local).sort()).toEqual(report.orgs.map(({ id }) => id).sort())
      expect(report.rounds.map(({ round, participants }) => ({ round, participants }))).toEqual([
        { round: 1, participants: 3 },
        { round: 2, participants: 3 },
      ])
      expect(report.ledger.height).toBe(2)
      expect(JSON.stringify(report.metrics.federated)).not.toContain('null')
    }
    expect(second?.ledger.modelHash).toBe(first?.ledger.modelHash)
    expect(second?.metrics).toEqual(first?.metrics)
    expect(await leftFiles()).toEqual([])
  })

  it('keeps what it is told to keep, for a verifier that comes later', async () => {
    const kept = join(directory, 'kept')
    const report = await reportOf('--keep', kept)
    expect(report.privacy?.epsilon).toBeLessThanOrEqual(4.0001)
    expect(Object.keys(report.privacy?.spent ?? {})).toHaveLength(3)
    const keys = ['--keys', join(kept, 'federation.keys.json')]
    const verifier = spawn(process.execPath, [
      MAIN,
      'ledger',
      'verify',
      join(kept, 'federation.ledger.json'),
      ...keys,
      '--json',
    ])
    started.push(verifier)
    let said = ''
    verifier.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await once(verifier, 'close')
    expect(JSON.parse(said)).toMatchObject({ verified: true, height: 2, modelHash: report.ledger.modelHash })
  })
})

describe('a demo in which one organisation lies', () => {
  it('takes nothing of what it sends, and says so from the ledger', { timeout: 400_000 }, async () => {
    const model = ['--model', 'mlp', '--epsilon', 'off']
    const { attack, ledger } = await reportOf('--orgs', '5', '--rounds', '4', ...model, '--attack', 'signflip:1')
    expect(ledger.verified).toBe(true)
    expect(attack).toMatchObject({ organisations: ['site-5'], rule: 'multi-krum', lies: 4, leftOut: 4 })
    expect(Object.keys(attack?.reputations ?? {})).toHaveLength(5)
    expect(await leftFiles()).toEqual([])
  })
})

describe.skipIf(platform() !== 'linux')('an interrupted demo', () => {
  it.each([
    { moment: 'while the database server is made', after: undefined },
    { moment: 'while organisations join and ingest', after: 'traffic:' },
    { moment: 'while the nodes start', after: 'labels:' },
    { moment: 'while it trains', after: 'nodes start:' },
    { moment: 'while it evaluates', after: 'nodes stop:' },
  ])('leaves no process and no file: $moment', async ({ after }) => {
    const { child, ended, said } = startDemo()
    const pid = child.pid ?? 0
    if (after === undefined) while (child.exitCode === null && (await descendantsOf(pid)).length === 0) await sleep(5)
    else await said(after)
    await sleep(200)
    const children = await descendantsOf(pid)
    child.kill('SIGINT')
    const { code, stderr } = await ended
    expect(code, stderr).toBe(130)
    expect(children.filter(isAlive)).toEqual([])
    expect(await leftFiles()).toEqual([])
  })
})

describe.skipIf(platform() !== 'linux')('a demo that is interrupted twice', () => {
  it('does not wait, and leaves no process either', async () => {
    const { child, ended, said } = startDemo()
    await said('nodes start:')
    const children = await descendantsOf(child.pid ?? 0)
    child.kill('SIGINT')
    await sleep(20)
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
    await expect.poll(() => children.filter(isAlive), { timeout: 10_000 }).toEqual([])
  })
})

describe('a demo on captures of other tools', () => {
  describe.each([
    { tool: 'a Zeek conn.log in JSON, gzipped', path: sharedPath('data/zeek/slips-test9.conn.jsonl.gz') },
    {
      tool: 'a labelled Zeek conn.log in TSV, gzipped',
      path: sharedPath('data/zeek/ctu-sme-11-win.conn.log.labeled.gz'),
    },
    { tool: 'a Suricata eve.json, gzipped', path: sharedPath('data/suricata/slips-test6.eve.json.gz') },
  ])('$tool', ({ path }) => {
    it.skipIf(path === undefined)('trains and verifies (reads shared data, which must be there)', async () => {
      const report = await reportOf('--data', path ?? '')
      expect(report.orgs).toHaveLength(3)
    })
  })

  const small = sharedPath('data/zeek/ctu-sme-11-win.conn.log.labeled.gz')
  it.skipIf(small === undefined)(
    'goes on without the sites that have nothing to learn from, which are those without labels of a perceptron (reads shared data)',
    async () => {
      const report = await reportOf('--data', small ?? '', '--orgs', '5', '--model', 'mlp')
      expect(report.orgs).toHaveLength(5)
      const learning = report.orgs.filter(({ learns }) => learns).length
      expect(learning).toBeGreaterThan(0)
      expect(learning).toBeLessThan(5)
      for (const { participants } of report.rounds) expect(participants).toBe(learning)
      // Who declined has spent nothing.
      const spent = Object.values(report.privacy?.spent ?? {})
      expect(spent.filter((epsilon) => epsilon > 0)).toHaveLength(learning)
    },
  )

  it.skipIf(small === undefined)(
    'has sites without any label take part, since a graph network learns links (reads shared data)',
    async () => {
      const report = await reportOf('--data', small ?? '', '--orgs', '5', '--model', 'tgnn', '--epsilon', 'off')
      const learning = report.orgs.filter(({ learns }) => learns).length
      expect(learning).toBe(5)
      for (const { participants } of report.rounds) expect(participants).toBe(learning)
    },
  )
})
